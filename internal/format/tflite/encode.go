package tflite

import (
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/ir"
)

// Encode refuses: files of this format are read.
func Encode(_ *ir.Graph, o format.EncodeOptions) (*format.Encoded, error) {
	return nil, &diag.UnsupportedError{Where: o.Name, What: "writing TensorFlow Lite models", Hint: "write an ONNX model (.onnx)"}
}
