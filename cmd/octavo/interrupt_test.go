//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/octavo-ml/octavo/internal/diag"
)

// TestInterruptedCalibrationLeavesNothing stops calibration on far more
// samples than can be done meanwhile, by Ctrl-C and by a terminal that goes
// away.
func TestInterruptedCalibrationLeavesNothing(t *testing.T) {
	const samples = 400_000
	dir := exampleFolder(t)
	if err := os.Remove(filepath.Join(dir, "model.int8.onnx")); err != nil {
		t.Fatal(err)
	}
	head := "{'descr': '<f4', 'fortran_order': False, 'shape': (400000, 1, 8, 8), }"
	head += strings.Repeat(" ", 117-len(head)) + "\n"
	many := filepath.Join(dir, "many.npy")
	if err := os.WriteFile(many, append([]byte("\x93NUMPY\x01\x00\x76\x00"), head...), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(many, 128+samples*64*4); err != nil { // zeros, without taking room
		t.Fatal(err)
	}
	names := func() string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range entries {
			out = append(out, e.Name())
		}
		return strings.Join(out, " ")
	}
	before := names()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGTERM} {
		var stderr strings.Builder
		cmd := octavoIn(t, dir, "quantize", "model.onnx", "--data", "input=many.npy", "--samples", "0")
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatalf("%v: it ended before it was stopped: %v; %s", sig, err, &stderr)
		}
		_ = cmd.Wait() // the code says what the error would
		if code := cmd.ProcessState.ExitCode(); code != diag.Interrupted.ExitCode() {
			t.Errorf("%v: exit code %d, want 130; %s", sig, code, &stderr)
		}
		if after := names(); after != before {
			t.Errorf("%v: the folder held %s, holds %s", sig, before, after)
		}
	}
}
