//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

// closedPipe returns the end to write of a pipe that nobody reads.
func closedPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	t.Cleanup(func() { w.Close() })
	return w
}

// TestReaderGoesAway: standard output is a pipe that nobody reads, as behind
// head. The program ends quietly, its files whole and its temporary ones gone.
func TestReaderGoesAway(t *testing.T) {
	dir := exampleFolder(t)
	temp := t.TempDir()
	for _, c := range []struct{ line, made string }{
		{"model.onnx", ""},
		{"inspect model.onnx", ""},
		{"inspect model.onnx --json", ""},
		{"inspect model.onnx --tensors", ""},
		{"check model.onnx", ""},
		{"targets", ""},
		{"targets octavo", ""},
		{"diff model.onnx model.int8.onnx", ""},
		{"quantize model.onnx --data calib.npz -o new.onnx", "new.onnx"},
		{"quantize model.onnx --data calib-photos --preprocess unit -o photos.onnx", "photos.onnx"},
		{"quantize model.onnx --print-recipe", ""},
		{"validate model.onnx model.int8.onnx --data test.npz --report report.md", "report.md"},
		{"explain model.onnx model.int8.onnx --data test.npz --samples 5 --csv layers.csv", "layers.csv"},
		{"run model.onnx --data test-photos --preprocess unit -o outputs", "outputs/logits/00063.npy"},
		{"demo", ""},
		{"version", ""},
		{"version --licenses", ""},
		{"completion bash", ""},
		{"man -o man1", "man1/octavo.1"},
	} {
		var stderr strings.Builder
		cmd := octavoIn(t, dir, strings.Fields(c.line)...)
		cmd.Env = append(os.Environ(), "TMPDIR="+temp)
		cmd.Stdout, cmd.Stderr = closedPipe(t), &stderr
		_ = cmd.Run() // the code says what the error would
		if code := cmd.ProcessState.ExitCode(); code != unread {
			t.Errorf("octavo %s: exit code %d, want %d", c.line, code, unread)
		}
		if strings.Contains(stderr.String(), "error") || strings.Contains(stderr.String(), "goroutine") {
			t.Errorf("octavo %s: says\n%s", c.line, &stderr)
		}
		if c.made != "" {
			if _, err := os.Stat(filepath.Join(dir, c.made)); err != nil {
				t.Errorf("octavo %s: %v", c.line, err)
			}
		}
		for _, pattern := range []string{dir + "/.octavo-*", temp + "/*"} {
			if left, _ := filepath.Glob(pattern); len(left) > 0 {
				t.Errorf("octavo %s: leaves %v", c.line, left)
			}
		}
	}
}

// TestErrorsUnread: nobody reads standard error, or there is none; warnings and
// progress are lost, and the work is done.
func TestErrorsUnread(t *testing.T) {
	dir := exampleFolder(t)
	for name, how := range map[string]func() []string{
		"a pipe that nobody reads": func() []string { return []string{"2>&3"} },
		"closed":                   func() []string { return []string{"2>&-"} },
		"all three closed":         func() []string { return []string{"<&-", ">&-", "2>&-"} },
	} {
		path, err := built()
		if err != nil {
			t.Skipf("octavo cannot be built here: %v", err)
		}
		out := filepath.Join(dir, "quiet.onnx")
		os.Remove(out)
		cmd := octavoIn(t, dir)
		cmd.Path = "/bin/sh"
		cmd.Args = []string{"sh", "-c", `exec "$0" quantize model.onnx --data random -o quiet.onnx ` + strings.Join(how(), " "), path}
		cmd.ExtraFiles = []*os.File{closedPipe(t)}
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !octavo.WroteFile(out) {
			t.Errorf("%s: no model was written", name)
		}
	}
}

// TestNoSpaceForTheAnswer: standard output is full. That is an error.
func TestNoSpaceForTheAnswer(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("no /dev/full here: %v", err)
	}
	defer full.Close()
	var stderr strings.Builder
	cmd := octavoIn(t, exampleFolder(t), "inspect", "model.onnx")
	cmd.Stdout, cmd.Stderr = full, &stderr
	_ = cmd.Run() // the code says what the error would
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(stderr.String(), "no space left") {
		t.Errorf("exit code %d, %q", code, &stderr)
	}
}

// TestIgnoredSignalsStayIgnored: nohup, and a shell's background, mean that a
// terminal that goes away does not end the work.
func TestIgnoredSignalsStayIgnored(t *testing.T) {
	dir := exampleFolder(t)
	manySamples(t, dir)
	path, err := built()
	if err != nil {
		t.Skipf("octavo cannot be built here: %v", err)
	}
	cmd := octavoIn(t, dir)
	cmd.Path = "/bin/sh"
	cmd.Args = []string{"sh", "-c", `trap "" HUP INT; exec "$0" quantize model.onnx --data input=many.npy --samples 0`, path}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	time.Sleep(time.Second)
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			t.Fatalf("%v ended it: %v", sig, err)
		case <-time.After(500 * time.Millisecond):
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ended
	if code := cmd.ProcessState.ExitCode(); code != diag.Interrupted.ExitCode() {
		t.Errorf("exit code %d, want 130", code)
	}
}
