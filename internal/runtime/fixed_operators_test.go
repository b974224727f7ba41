package runtime_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/tflite"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestFixedOperatorsAreExact runs models of one operator on integers, and holds
// every element to LiteRT's reference kernels (testdata/make/tflite_operators.py).
func TestFixedOperatorsAreExact(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "format", "tflite", "testdata", "integers.json"))
	if err != nil {
		t.Fatal(err)
	}
	type array struct {
		Type  string
		Shape []int
		Data  []float64
	}
	var cases []struct {
		Name            string
		Model           []byte
		Inputs, Outputs []array
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	integers := func(t *testing.T, a array) *tensor.Tensor {
		typ, err := dtype.Parse(a.Type)
		if err != nil || !typ.IsInteger() {
			t.Fatalf("%s is no integer: %v", a.Type, err)
		}
		v := make([]int64, len(a.Data))
		for i, x := range a.Data {
			v[i] = int64(x)
		}
		return tensor.FromInts(typ, v, a.Shape...)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			m, err := tflite.Decode(format.FromBytes("case.tflite", c.Model))
			if err != nil {
				t.Fatal(err)
			}
			p, err := runtime.Compile(m.Graph, runtime.Options{})
			if err != nil {
				t.Fatal(err)
			}
			in := runtime.Tensors{}
			for i, a := range c.Inputs {
				in[m.Graph.Inputs[i].Name] = integers(t, a)
			}
			out, err := p.Run(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range c.Outputs {
				got, want := out[m.Graph.Outputs[i].Name], integers(t, a)
				if tensor.Equal(got, want) {
					continue
				}
				x, _ := tensor.Ints(got)
				y, _ := tensor.Ints(want)
				off := 0
				for k := range min(len(x), len(y)) {
					if x[k] != y[k] {
						off++
					}
				}
				t.Errorf("output %d: %d of %d elements differ; %v, want %v", i, off, len(y), x[:min(len(x), 12)], y[:min(len(y), 12)])
			}
		})
	}
	if len(cases) < 100 {
		t.Errorf("%d cases, want at least 100", len(cases))
	}
}
