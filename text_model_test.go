package octavo

import (
	"testing"

	"github.com/octavo-ml/octavo/internal/format/all"
	"github.com/octavo-ml/octavo/internal/ir"
)

// textModel returns a model of a graph's text, as if read from an ONNX file.
func textModel(t *testing.T, text string) *Model {
	t.Helper()
	g, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	f, err := all.ByExtension("model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	return &Model{Path: "model.onnx", format: f, graph: g}
}
