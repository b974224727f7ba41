//go:build unix

package main

import (
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/octavo-ml/octavo/internal/diag"
)

// manySamples writes many.npy: far more samples than can be run meanwhile,
// zeros that take no room.
func manySamples(t *testing.T, dir string) {
	t.Helper()
	const samples = 400_000
	head := "{'descr': '<f4', 'fortran_order': False, 'shape': (400000, 1, 8, 8), }"
	head += strings.Repeat(" ", 117-len(head)) + "\n"
	many := filepath.Join(dir, "many.npy")
	if err := os.WriteFile(many, append([]byte("\x93NUMPY\x01\x00\x76\x00"), head...), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(many, 128+samples*64*4); err != nil {
		t.Fatal(err)
	}
}

// TestInterruptedWorkLeavesNothing stops the long commands by Ctrl-C, by a
// terminal that goes away and by SIGTERM.
func TestInterruptedWorkLeavesNothing(t *testing.T) {
	dir := exampleFolder(t)
	manySamples(t, dir)
	// What run has written until then are whole files, in a folder of their own.
	outputs := t.TempDir()
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
	quantize := "quantize model.onnx -o new.onnx --data input=many.npy --samples 0"
	resume := "--cache " + t.TempDir()
	for _, c := range []struct {
		line string
		sig  syscall.Signal
	}{
		{quantize + " " + resume, syscall.SIGINT},
		{quantize, syscall.SIGINT},
		{quantize, syscall.SIGHUP},
		{quantize, syscall.SIGTERM},
		{"quantize model.onnx -o new.onnx --data random --samples 400000", syscall.SIGINT},
		{"validate model.onnx model.int8.onnx --data input=many.npy --report new.md", syscall.SIGINT},
		{"validate model.onnx model.int8.onnx --data input=many.npy --task none --no-memory", syscall.SIGHUP},
		{"run model.onnx --data input=many.npy -o " + outputs, syscall.SIGINT},
	} {
		if signal.Ignored(c.sig) {
			t.Logf("%v is ignored here, so octavo ignores it", c.sig)
			continue
		}
		var stderr strings.Builder
		cmd := octavoIn(t, dir, strings.Fields(c.line)...)
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		start := time.Now()
		if err := cmd.Process.Signal(c.sig); err != nil {
			t.Fatalf("octavo %s: it ended before it was stopped: %v; %s", c.line, err, &stderr)
		}
		_ = cmd.Wait() // the code says what the error would
		t.Logf("octavo %s: %v after %v", c.line, c.sig, time.Since(start).Round(time.Millisecond))
		if code := cmd.ProcessState.ExitCode(); code != diag.Interrupted.ExitCode() {
			t.Errorf("octavo %s: exit code %d, want 130; %s", c.line, code, &stderr)
		}
		if !strings.Contains(stderr.String(), "octavo: interrupted; nothing was left half-written") {
			t.Errorf("octavo %s: says %s", c.line, &stderr)
		}
		if strings.Contains(c.line, resume) != strings.Contains(stderr.String(), "note: the same command goes on where this one stopped") {
			t.Errorf("octavo %s: says %s", c.line, &stderr)
		}
		if after := names(); after != before {
			t.Errorf("octavo %s: the folder held %s, holds %s", c.line, before, after)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(outputs, "*", ".octavo-*")); len(left) > 0 {
		t.Errorf("run leaves %v", left)
	}
}
