package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// fails CODE PROGRAM ARGS... runs a program that must end with the exit code,
// say why in one line and notes, and leave the script's folder as it was.
func fails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: fails CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	before := state(ts)
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		ts.Fatalf("exit code %d is wanted, got %v", want, err)
	}
	if got := exit.ExitCode(); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	said.add(ts.Name(), ts.ReadFile("stderr"))
	errs := 0
	for line := range strings.Lines(ts.ReadFile("stderr")) {
		switch {
		case strings.HasPrefix(line, "octavo: error: "):
			errs++
		case strings.HasPrefix(line, "calibrating: ") || strings.HasPrefix(line, "rounding layers: "): // where the machine is slow
		case !strings.HasPrefix(line, "  note: ") && !strings.HasPrefix(line, "warning OCT") && !strings.HasPrefix(line, "error OCT"):
			ts.Fatalf("standard error holds a line that is no error, note or warning: %q", line)
		}
	}
	if errs != 1 {
		ts.Fatalf("%d lines of error, want 1", errs)
	}
	if after := state(ts); !slices.Equal(before, after) {
		ts.Fatalf("the folder changed\nfrom %q\nto   %q", before, after)
	}
}

// state lists all files below the script's folder, with what tells that they
// changed.
func state(ts *testscript.TestScript) []string {
	var files []string
	ts.Check(filepath.WalkDir(ts.MkAbs("."), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && !e.IsDir() {
			path += fmt.Sprint(" ", info.Size(), info.ModTime())
		}
		files = append(files, path)
		return err
	}))
	return files
}

// json SCHEMA checks that the last standard output is one JSON object that
// names its schema.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: json SCHEMA")
	}
	var v struct {
		Schema string `json:"schema"`
	}
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	ts.Check(d.Decode(&v))
	if v.Schema != args[0] {
		ts.Fatalf("schema %q, want %q", v.Schema, args[0])
	}
	if d.More() {
		ts.Fatalf("more than one object")
	}
}

// samebytes A B compares two files.
func sameBytes(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: samebytes A B")
	}
	a, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	b, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	if bytes.Equal(a, b) == neg {
		ts.Fatalf("%s of %d bytes and %s of %d: the same is %v", args[0], len(a), args[1], len(b), !neg)
	}
}

// truncate FILE N cuts a file to N bytes.
func truncate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: truncate FILE N")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}
