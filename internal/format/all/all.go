// Package all is the table of formats that are read and written.
package all

import (
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/format/tflite"
)

// Formats lists the doors; the first whose Sniff holds reads a file.
var Formats = []*format.Format{&tflite.Format, &onnx.Format}

// strangers are formats that are told apart to say what would work.
var strangers = []struct {
	magic string
	at    int
	name  string
}{
	{"PK\x03\x04", 0, "a zip archive (PyTorch, Keras, or samples as .npz)"},
	{"\x89HDF\r\n\x1a\n", 0, "an HDF5 file (Keras)"},
	{"GGUF", 0, "a GGUF model"},
	{"\x93NUMPY", 0, "a NumPy array as a model"},
	{"\x80\x02", 0, "a PyTorch pickle"},
}

// Sniff returns the format of a file by its content.
func Sniff(name string, head []byte) (*format.Format, error) {
	for _, s := range strangers {
		if len(head) >= s.at+len(s.magic) && string(head[s.at:s.at+len(s.magic)]) == s.magic {
			return nil, &diag.UnsupportedError{Where: name, What: s.name, Hint: "this release reads ONNX (.onnx) and TensorFlow Lite models (.tflite)"}
		}
	}
	for _, f := range Formats {
		if f.Sniff(head) {
			return f, nil
		}
	}
	if len(head) == 0 {
		return nil, &diag.FormatError{Where: name, Msg: "the file is empty"}
	}
	return nil, &diag.FormatError{Where: name, Msg: "not a model in a format that is known (ONNX, TensorFlow Lite)"}
}

// ByExtension returns the format that an output name asks for; a name without
// the extension of one that is written is an error.
func ByExtension(name string) (*format.Format, error) {
	var known []string
	for _, f := range Formats {
		if f.Encode == nil {
			continue
		}
		for _, ext := range f.Extensions {
			if strings.HasSuffix(strings.ToLower(name), ext) {
				return f, nil
			}
			known = append(known, ext)
		}
	}
	slices.Sort(known)
	return nil, diag.Usagef("%s: the name does not say which format to write", name).Note("end it in one of: %s", strings.Join(known, ", "))
}
