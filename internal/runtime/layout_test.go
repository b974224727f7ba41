package runtime_test

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestLayoutKeepsBits runs every model of the folders beside the checkout with
// channels first and last, and compares every bit of every output.
func TestLayoutKeepsBits(t *testing.T) {
	ran := 0
	for _, dir := range []string{"fixtures", "models"} {
		root := filepath.Join("..", "..", "..", "shared", dir)
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if !strings.HasSuffix(path, ".onnx") {
				return nil
			}
			name, _ := filepath.Rel(root, path)
			t.Run(name, func(t *testing.T) {
				g := preparedFile(t, path)
				in := inputsFor(t, g)
				plain, err := runWith(g, in, runtime.Options{KeepLayout: true})
				if err != nil {
					t.Skip(err)
				}
				ran++
				for what, o := range map[string]runtime.Options{
					"channels last":              {},
					"channels last, not integer": {NoInteger: true},
				} {
					want := plain
					if o.NoInteger {
						if want, err = runWith(g, in, runtime.Options{NoInteger: true, KeepLayout: true}); err != nil {
							t.Fatal(err)
						}
					}
					got, err := runWith(g, in, o)
					if err != nil {
						t.Fatalf("%s: %v", what, err)
					}
					for name, w := range want {
						if !tensor.Equal(got[name], w) {
							t.Errorf("%s: output %q differs: %v, want %v", what, name, got[name], w)
						}
					}
				}
			})
			return nil
		})
		if err != nil {
			t.Skip(err)
		}
	}
	t.Logf("%d models", ran)
	if ran < 50 {
		t.Errorf("%d models ran, want at least 50", ran)
	}
}

// TestAnyOrderObservesTheSameValues: what observers see channels last is what
// they see channels first, in another order, though no transposes are made.
func TestAnyOrderObservesTheSameValues(t *testing.T) {
	g := preparedFile(t, filepath.Join("..", "..", "..", "shared", "fixtures", "digits_resnet", "digits_resnet.op13.onnx"))
	in := inputsFor(t, g)
	var keep []string
	for _, v := range g.Values() {
		if v.Const == nil && v.Type == dtype.Float32 {
			keep = append(keep, v.Name)
		}
	}
	seen := func(o runtime.Options) map[string][]float32 {
		o.Keep = keep
		p, err := runtime.Compile(g, o)
		if err != nil {
			t.Fatal(err)
		}
		m := map[string][]float32{}
		if _, err := p.Observe(context.Background(), in, func(name string, x *tensor.Tensor) {
			m[name] = slices.Sorted(slices.Values(tensor.Data[float32](x)))
		}); err != nil {
			t.Fatal(err)
		}
		return m
	}
	want := seen(runtime.Options{KeepLayout: true})
	for what, o := range map[string]runtime.Options{"in order": {}, "in any order": {AnyOrder: true}} {
		got := seen(o)
		if len(got) != len(keep) {
			t.Errorf("%s: %d values seen, want %d", what, len(got), len(keep))
		}
		for name, w := range want {
			if !slices.Equal(got[name], w) {
				t.Errorf("%s: %q differs", what, name)
			}
		}
	}
}

// TestTransposesAreFew counts what is left in whole networks: transposes at the
// edges and at real barriers.
func TestTransposesAreFew(t *testing.T) {
	for file, most := range map[string]int{
		"fixtures/digits_resnet/digits_resnet.op13.onnx":       0, // one channel comes in, one place goes out
		"fixtures/digits_mobilenet/digits_mobilenet.op13.onnx": 0,
		"fixtures/digits_vit/digits_vit.op14.onnx":             6, // attention's own
		"models/derived/resnet8.onnx":                          1, // the input
		"models/derived/resnet8_tf.onnx":                       0, // was one
		"models/derived/vww.onnx":                              1,
		"models/derived/vww_tf.onnx":                           0,
		"models/derived/kws.onnx":                              0,
		"models/mnist/mnist-8_cntk.onnx":                       1, // the Reshape of its output
		"models/ultraface/version-RFB-320.onnx":                1, // was eight
	} {
		path := filepath.Join("..", "..", "..", "shared", file)
		if _, err := os.Stat(path); err != nil {
			t.Skip("the models are not here")
		}
		g := preparedFile(t, path)
		if _, err := pass.ConvertLayout(g, pass.LayoutOptions{}); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, k := range g.Nodes {
			if _, ok := k.Op.(*op.Transpose); ok {
				n++
			}
		}
		if n != most {
			t.Errorf("%s: %d transposes, want %d", file, n, most)
		}
	}
}

func preparedFile(t testing.TB, path string) *ir.Graph {
	t.Helper()
	src, err := format.Open(path)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { src.Close() })
	m, err := onnx.Decode(src)
	if err != nil {
		t.Skip(err)
	}
	if err := pass.Expand(m.Graph); err != nil {
		t.Fatal(err)
	}
	if err := pass.Prepare(m.Graph, pass.Options{}); err != nil {
		t.Skip(err)
	}
	return m.Graph
}

// inputsFor draws inputs; dimensions that are not known are small.
func inputsFor(t *testing.T, g *ir.Graph) runtime.Tensors {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 3))
	in := runtime.Tensors{}
	for _, v := range g.Inputs {
		shape := make([]int, len(v.Shape))
		for i, d := range v.Shape {
			n, ok := d.Int()
			if !ok {
				n = 2
			}
			shape[i] = n
		}
		n, _ := tensor.Count(shape)
		if !v.Type.IsFloat() {
			ints := make([]int64, n)
			for i := range ints {
				ints[i] = r.Int64N(2)
			}
			if !v.Type.IsInteger() {
				t.Skipf("input %q is %v", v.Name, v.Type)
			}
			in[v.Name] = tensor.FromInts(v.Type, ints, shape...)
			continue
		}
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		var err error
		if in[v.Name], err = op.Convert(tensor.FromSlice(x, shape...), v.Type); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

func runWith(g *ir.Graph, in runtime.Tensors, o runtime.Options) (out runtime.Tensors, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	p, err := runtime.Compile(g, o)
	if err != nil {
		return nil, err
	}
	return p.Run(context.Background(), in)
}
