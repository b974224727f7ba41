package all_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/format/all"
)

func TestSniff(t *testing.T) {
	tests := []struct {
		name, head, format, problem string
		unsupported                 bool
	}{
		{"ONNX", "\x08\x08\x12\x07pytorch", "onnx", "", false},
		{"ONNX, producer first", "\x12\x07pytorch\x08\x08", "onnx", "", false},
		{"TensorFlow Lite", "\x1c\x00\x00\x00TFL3", "tflite", "", false},
		{"TensorFlow Lite, begun like ONNX", "\x12\x07\x00\x00TFL3", "tflite", "", false},
		{"zip", "PK\x03\x04\x14\x00", "", "zip archive", true},
		{"HDF5", "\x89HDF\r\n\x1a\n", "", "HDF5", true},
		{"NumPy", "\x93NUMPY\x01\x00", "", "a NumPy array as a model not supported", true},
		{"pickle", "\x80\x02\x8a\x0a", "", "pickle", true},
		{"GGUF", "GGUF\x03", "", "GGUF", true},
		{"a script", "#!/bin/sh\n", "", "not a model", false},
		{"one byte", "\x08", "", "not a model", false},
		{"nothing", "", "", "empty", false},
	}
	for _, tt := range tests {
		f, err := all.Sniff("the.file", []byte(tt.head))
		if tt.problem == "" {
			if err != nil || f.Name != tt.format {
				t.Errorf("%s: %v, %v; want %s", tt.name, f, err, tt.format)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s: taken for %s", tt.name, f.Name)
			continue
		}
		if !strings.Contains(err.Error(), tt.problem) || !strings.Contains(err.Error(), "the.file") {
			t.Errorf("%s: error is %q, want it to name the file and %q", tt.name, err, tt.problem)
		}
		var u *diag.UnsupportedError
		if errors.As(err, &u) != tt.unsupported {
			t.Errorf("%s: error is a %T", tt.name, err)
		}
		if u != nil && u.Hint == "" {
			t.Errorf("%s: no hint", tt.name)
		}
	}
}

func TestByExtension(t *testing.T) {
	for _, name := range []string{"m.onnx", "a/b.c/M.ONNX"} {
		if f, err := all.ByExtension(name); err != nil || f.Name != "onnx" {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
	for _, name := range []string{"m", "m.onnx.txt", "m.pb", ""} {
		if _, err := all.ByExtension(name); err == nil || diag.ExitCode(err) != 2 {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestTable(t *testing.T) {
	for _, f := range all.Formats {
		if f.Name == "" || len(f.Extensions) == 0 || f.Sniff == nil || f.Decode == nil {
			t.Errorf("%+v is not complete", f)
		}
		for _, ext := range f.Extensions {
			if !strings.HasPrefix(ext, ".") {
				t.Errorf("%s: extension %q has no dot", f.Name, ext)
			}
		}
	}
}
