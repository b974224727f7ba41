package octavo

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestTFLiteIntegersAreExact holds every element of the int8, uint8 and int16x8
// files to what LiteRT's reference kernels computed.
func TestTFLiteIntegersAreExact(t *testing.T) {
	needFixtures(t)
	files, err := filepath.Glob(filepath.Join(fixtures, "*", "tflite", "*.tflite"))
	if err != nil {
		t.Fatal(err)
	}
	exact := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".tflite")
		if !strings.Contains(name, "int8") && !strings.Contains(name, "int16x8") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			in := readArray(t, filepath.Join(filepath.Dir(filepath.Dir(file)), "inputs.npy"))
			want := numbersOf(t, readArray(t, strings.TrimSuffix(file, ".tflite")+".ref.npy"))
			got := oneByOne(t, open(t, file), in)
			if !slices.Equal(got, want) {
				off := 0
				for i := range want {
					if got[i] != want[i] {
						off++
					}
				}
				t.Errorf("%d of %d elements differ", off, len(want))
			}
		})
		exact++
	}
	if exact < 18 {
		t.Errorf("%d files, want at least 18", exact)
	}
}

// array is a tensor as the operators' file has it.
type array struct {
	Type  string
	Shape []int
	Data  []float64
}

// tensor returns an array of integers or float32; false for others.
func (a array) tensor() (*tensor.Tensor, bool) {
	typ, err := dtype.Parse(a.Type)
	if err != nil || !typ.IsInteger() && typ != dtype.Float32 {
		return nil, false
	}
	if typ == dtype.Float32 {
		out := make([]float32, len(a.Data))
		for i, v := range a.Data {
			out[i] = float32(v)
		}
		return tensor.FromSlice(out, a.Shape...), true
	}
	out := make([]int64, len(a.Data))
	for i, v := range a.Data {
		out[i] = int64(v)
	}
	return tensor.FromInts(typ, out, a.Shape...), true
}

// TestTFLiteOperatorsAreExact compiles the models of one operator that the door
// is tested with, and holds those of integers to LiteRT's reference kernels.
func TestTFLiteOperatorsAreExact(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("internal", "format", "tflite", "testdata", "operators.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name            string
		Model           []byte
		Inputs, Outputs []array
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	exact := 0
	for _, c := range cases {
		if len(c.Outputs) == 0 {
			continue
		}
		if typ := c.Outputs[0].Type; typ != "int8" && typ != "uint8" && typ != "int16" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "case.tflite")
			if err := os.WriteFile(path, c.Model, 0o600); err != nil {
				t.Fatal(err)
			}
			m := open(t, path)
			in := Inputs{}
			for i, a := range c.Inputs {
				x, ok := a.tensor()
				if !ok {
					t.Fatalf("an input of %s", a.Type)
				}
				in[m.graph.Inputs[i].Name] = x
			}
			p, err := m.Compile()
			if err != nil {
				t.Fatal(err)
			}
			out, err := p.Run(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range c.Outputs {
				want, _ := a.tensor()
				if got := out[m.graph.Outputs[i].Name]; !tensor.Equal(got, want) {
					t.Errorf("output %d: %v, want %v", i, tensorInts(got), tensorInts(want))
				}
			}
		})
		exact++
	}
	if exact < 19 {
		t.Errorf("%d cases, want at least 19", exact)
	}
}

func tensorInts(x *tensor.Tensor) []int64 {
	v, _ := tensor.Ints(x)
	return v[:min(len(v), 12)]
}
