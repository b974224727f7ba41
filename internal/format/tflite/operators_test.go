package tflite_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/tflite"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// operatorCase is a model of one operator, and what LiteRT makes of it;
// testdata/make/tflite_operators.py of the repository writes them.
type operatorCase struct {
	Name            string
	Model           []byte
	Inputs, Outputs []array
}

type array struct {
	Type  string
	Shape []int
	Data  []float64
}

func (a array) tensor(t *testing.T) *tensor.Tensor {
	t.Helper()
	typ, err := dtype.Parse(a.Type)
	if err != nil {
		t.Fatal(err)
	}
	if typ.IsFloat() {
		data := make([]float32, len(a.Data))
		for i, v := range a.Data {
			data[i] = float32(v)
		}
		return tensor.FromSlice(data, a.Shape...)
	}
	ints := make([]int64, len(a.Data))
	for i, v := range a.Data {
		ints[i] = int64(v)
	}
	return tensor.FromInts(typ, ints, a.Shape...)
}

func operatorCases(t testing.TB) []operatorCase {
	t.Helper()
	b, err := os.ReadFile("testdata/operators.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []operatorCase
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// TestOperators runs each case by the operators' own meaning: floats lie within
// a few units in the last place of LiteRT's, quantized integers within one step,
// as QDQ rounds once where LiteRT's integer arithmetic rounds twice.
func TestOperators(t *testing.T) {
	for _, c := range operatorCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			m, err := tflite.Decode(format.FromBytes("case.tflite", c.Model))
			if err != nil {
				t.Fatal(err)
			}
			var in []op.Datum
			for _, a := range c.Inputs {
				in = append(in, op.Datum{Tensor: a.tensor(t)})
			}
			out, err := ir.Eval(m.Graph, in)
			if err != nil {
				t.Fatal(err)
			}
			if len(out) != len(c.Outputs) {
				t.Fatalf("%d outputs, want %d", len(out), len(c.Outputs))
			}
			for i, want := range c.Outputs {
				near(t, out[i].Tensor, want.tensor(t))
			}
		})
	}
}

func near(t *testing.T, got, want *tensor.Tensor) {
	t.Helper()
	if got.Type() != want.Type() || !slices.Equal(got.Shape(), want.Shape()) {
		t.Fatalf("%v, want %v", got, want)
	}
	x, err := op.Convert(got, dtype.Float32)
	if err != nil {
		t.Fatal(err)
	}
	y, err := op.Convert(want, dtype.Float32)
	if err != nil {
		t.Fatal(err)
	}
	a, b := tensor.Data[float32](x), tensor.Data[float32](y)
	for i := range b {
		allowed := 2e-6 * max(1, math.Abs(float64(b[i])))
		switch want.Type() {
		case dtype.Float32:
		case dtype.Int8, dtype.Uint8:
			allowed = 1
		default:
			allowed = 0
		}
		if d := math.Abs(float64(a[i]) - float64(b[i])); !(d <= allowed) {
			t.Errorf("element %d is %v, want %v", i, a[i], b[i])
			if i > 20 {
				return
			}
		}
	}
}
