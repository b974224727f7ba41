package runtime_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// lightFiles reads the folder light of ONNX's test models: nine networks with
// constant weights, and what they give for the input 0/n, 1/n … (n−1)/n.
func lightFiles(t *testing.T) map[string][]byte {
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "conformance", "onnx-models.tar.gz"))
	if err != nil {
		t.Skip("onnx-models.tar.gz is not here")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		name, ok := strings.CutPrefix(h.Name, "light/light_")
		if !ok {
			continue
		}
		if files[name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLight runs the nine networks and compares with the expected outputs.
func TestLight(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	files := lightFiles(t)
	for _, name := range []string{
		"bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50",
		"shufflenet", "squeezenet", "vgg19", "zfnet512",
	} {
		t.Run(name, func(t *testing.T) {
			m, err := onnx.Decode(format.FromBytes(name, files[name+".onnx"]))
			if err != nil {
				t.Fatal(err)
			}
			g := m.Graph
			if err := pass.Prepare(g, pass.Options{Verify: true}); err != nil {
				t.Fatal(err)
			}
			p, err := runtime.Compile(g, runtime.Options{})
			if err != nil {
				t.Fatal(err)
			}
			shape, ok := g.Inputs[0].Shape.Ints()
			if len(g.Inputs) != 1 || !ok {
				t.Fatalf("inputs are %d, the first %v", len(g.Inputs), g.Inputs[0].Shape)
			}
			n, _ := tensor.Count(shape)
			ramp := make([]float32, n)
			for i := range ramp {
				ramp[i] = float32(float64(i) / float64(n))
			}
			got, err := p.Run(context.Background(), runtime.Tensors{g.Inputs[0].Name: tensor.FromSlice(ramp, shape...)})
			if err != nil {
				t.Fatal(err)
			}
			want, dims := floats(t, files[name+"_output_0.pb"])
			out := got[g.Outputs[0].Name]
			y := tensor.Data[float32](out)
			if len(y) != len(want) || len(dims) != out.Rank() {
				t.Fatalf("shape is %v, want %v", out.Shape(), dims)
			}
			for i, d := range dims {
				if int(d) != out.Shape()[i] {
					t.Fatalf("shape is %v, want %v", out.Shape(), dims)
				}
			}
			for i := range want {
				if !(math.Abs(float64(y[i]-want[i])) <= 1e-3*math.Abs(float64(want[i]))) {
					t.Fatalf("output %d is %g, want %g", i, y[i], want[i])
				}
			}
		})
	}
}

// floats reads a TensorProto of float32.
func floats(t *testing.T, b []byte) ([]float32, []int64) {
	var vals []float32
	var dims []int64
	for f, err := range proto.Fields(b) {
		if err != nil {
			t.Fatal(err)
		}
		switch f.Num {
		case 1:
			dims, err = proto.AppendInt64s(dims, f)
		case 4:
			vals, err = proto.AppendFloat32s(vals, f)
		case 9:
			for i := 0; i+4 <= len(f.Bytes); i += 4 {
				vals = append(vals, math.Float32frombits(uint32(f.Bytes[i])|uint32(f.Bytes[i+1])<<8|uint32(f.Bytes[i+2])<<16|uint32(f.Bytes[i+3])<<24))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return vals, dims
}
