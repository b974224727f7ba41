package octavo

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// liteModes are the precisions that are written as TensorFlow Lite: the recipe,
// by how much of the range the file may differ from the model that was written
// (0: not at all), the type of the stored weights, and whether products quantize
// their data as the model runs.
var liteModes = []struct {
	name    string
	recipe  func(*Recipe)
	within  float64
	weights dtype.Type
	live    bool
}{
	{"dynamic", func(r *Recipe) { r.Mode = Dynamic }, 1e-5, dtype.Int8, true},
	{"dynamic of 4 bits", func(r *Recipe) { r.Mode, r.Weights.DType = Dynamic, "int4" }, 1e-5, dtype.Int4, true},
	{"dynamic with one scale", func(r *Recipe) { r.Mode, r.Weights.Granularity = Dynamic, "tensor" }, 1e-5, dtype.Int8, true},
	{"weights", func(r *Recipe) { r.Mode = WeightOnly }, 1e-5, dtype.Int8, false},
	{"weights of 4 bits", func(r *Recipe) { r.Mode, r.Weights.DType = WeightOnly, "int4" }, 1e-5, dtype.Int4, false},
	{"halves", func(r *Recipe) { r.Mode = Float16 }, 1e-5, dtype.Float16, false},
	{"integers of 16 bits", func(r *Recipe) { r.Mode, r.Activations.DType = Static, "int16" }, 1e-3, dtype.Int8, false},
	{"weights of 4 bits among integers", func(r *Recipe) { r.Mode, r.Weights.DType = Static, "int4" }, 0.1, dtype.Int4, false},
}

// TestTFLitePrecisions writes models in each precision and reads them: they give
// the same, they hold weights of the type that was asked for and nothing of
// uint8, and what was read and is written anew is the same to the bit.
func TestTFLitePrecisions(t *testing.T) {
	needFixtures(t)
	for _, file := range []string{"digits_mlp/digits_mlp.op13.onnx", "digits_resnet/digits_resnet.op13.onnx", "digits_mobilenet/digits_mobilenet.op13.onnx",
		"digits_vit/digits_vit.op14.onnx", "digits_cnn/tflite/digits_cnn.float.tflite"} {
		dir, name, _ := strings.Cut(file, "/")
		in := readArray(t, filepath.Join(fixtures, dir, "inputs.npy"))
		x := tensor.FromSlice(tensor.Data[float32](in)[:in.Len()/in.Shape()[0]], append([]int{1}, in.Shape()[1:]...)...)
		for _, c := range liteModes {
			t.Run(filepath.Base(name)+" in "+c.name, func(t *testing.T) {
				m := open(t, filepath.Join(fixtures, file))
				r := Recipe{Target: "litert", Algorithms: []string{"none"}}
				r.Activations.Observer = "minmax"
				c.recipe(&r)
				samples, err := m.RandomSamples(4, 7)
				if err != nil {
					t.Fatal(err)
				}
				opts := []Option{WithCalibration(samples)}
				if r.Mode != Static {
					opts, r.Activations.Observer = nil, ""
				}
				q, err := Quantize(context.Background(), m, r, opts...)
				if err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(t.TempDir(), "model.tflite")
				if err := q.Save(path); err != nil {
					t.Fatal(err)
				}
				back := open(t, path)
				got := tensor.Data[float32](liteRun(t, back.graph, x))
				closeTo(t, got, tensor.Data[float32](liteRun(t, q.graph, x)), c.within)
				stored, live := storedIn(back.graph)
				if stored[c.weights] == 0 || stored[dtype.Uint8] > 0 || (live > 0) != c.live {
					t.Errorf("constants by type: %v, want %v and no uint8; %d values are quantized as the model runs, want some: %v", stored, c.weights, live, c.live)
				}
				if c.live && live != liveIn(q.graph) {
					t.Errorf("%d products quantize their data as the model runs, want %d", live, liveIn(q.graph))
				}
				anew, err := Convert(back, Conversion{})
				if err != nil {
					t.Fatal(err)
				}
				again := filepath.Join(t.TempDir(), "again.tflite")
				if err := anew.Save(again); err != nil {
					t.Fatal(err)
				}
				read := open(t, again)
				if y := tensor.Data[float32](liteRun(t, read.graph, x)); !slices.Equal(y, got) {
					t.Errorf("written anew: %v, want %v", y, got)
				}
				if twice, n := storedIn(read.graph); n != live || twice[c.weights] != stored[c.weights] {
					t.Errorf("written anew: constants by type %v and %d live values, want %v and %d", twice, n, stored, live)
				}
			})
		}
	}
}

// TestTFLiteDynamicFilesAreWrittenAnew: the files of the converter with hybrid
// operators are the same models when they are written by octavo.
func TestTFLiteDynamicFilesAreWrittenAnew(t *testing.T) {
	needFixtures(t)
	for _, name := range []string{"digits_cnn", "digits_keras_mlp"} {
		for _, form := range []string{"dynamic", "float16", "int16x8"} {
			t.Run(name+" "+form, func(t *testing.T) {
				path := filepath.Join(fixtures, name, "tflite", name+"."+form+".tflite")
				m := open(t, path)
				in := readArray(t, filepath.Join(fixtures, name, "inputs.npy"))
				x := tensor.FromSlice(tensor.Data[float32](in)[:in.Len()/in.Shape()[0]], append([]int{1}, in.Shape()[1:]...)...)
				c, err := Convert(m, Conversion{})
				if err != nil {
					t.Fatal(err)
				}
				anew := filepath.Join(t.TempDir(), "anew.tflite")
				if err := c.Save(anew); err != nil {
					t.Fatal(err)
				}
				back := open(t, anew)
				want, got := liteRun(t, m.graph, x), liteRun(t, back.graph, x)
				if !tensor.Equal(want, got) {
					t.Errorf("%v, want %v", tensor.Data[float32](got), tensor.Data[float32](want))
				}
				a, n := storedIn(m.graph)
				if b, k := storedIn(back.graph); n != k || a[dtype.Int8] != b[dtype.Int8] || a[dtype.Float16] != b[dtype.Float16] {
					t.Errorf("constants by type %v and %d live values, want %v and %d", b, k, a, n)
				}
				theirs, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				if ours, err := os.Stat(anew); err != nil || ours.Size() > theirs.Size()+theirs.Size()/10 {
					t.Errorf("%d bytes (%v), and the converter's file has %d", ours.Size(), err, theirs.Size())
				}
			})
		}
	}
}

// closeTo compares to a part of the largest magnitude.
func closeTo(t *testing.T, got, want []float32, part float64) {
	t.Helper()
	most := float64(0)
	for _, v := range want {
		most = max(most, math.Abs(float64(v)))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= most*part) {
			t.Fatalf("element %d is %v, want %v", i, got[i], want[i])
		}
	}
}

// storedIn counts the constants of at least two dimensions by their type, and
// the values that are quantized as the model runs.
func storedIn(g *ir.Graph) (map[dtype.Type]int, int) {
	by := map[dtype.Type]int{}
	for _, v := range g.Values() {
		if v.Const != nil && v.Const.Rank() > 1 {
			by[v.Const.Type()]++
		}
	}
	return by, liveIn(g)
}

// liveIn counts the operands that are quantized as the model runs.
func liveIn(g *ir.Graph) int {
	of, count := map[*ir.Value]bool{}, 0
	for _, n := range g.Nodes {
		switch n.Op.(type) {
		case *op.DynamicQuantize:
			of[n.Out[0]] = true
		case *op.DequantizeLinear:
			if of[n.In[0]] {
				of[n.Out[0]] = true
			}
		default:
			for _, v := range n.In {
				if of[v] {
					count++
				}
			}
		}
	}
	return count
}
