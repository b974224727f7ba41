package octavo

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/tflite"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// turnedCases are networks whose layout changes on the way, and how many
// transposes that may cost: one at the input, and those that they have.
var turnedCases = []struct {
	name, in, consts, nodes string
	most                    int
}{
	{"flattened before a product", "1,3,6,8", "w float32[4,3,3,3]\nm float32[5,96]\nb float32[5]",
		"a float32[1,4,6,8] = Conv(x, w) {pads=i[1 1 1 1]}\nr float32[1,4,6,8] = Relu(a)\np float32[1,4,3,8] = MaxPool(r) {kernel_shape=i[2 1], strides=i[2 1]}\nf float32[1,96] = Flatten(p)\ny float32[1,5] = Gemm(f, m, b) {transB=1}", 1},
	{"reshaped before two products", "2,3,4,4", "w float32[4,3,1,1]\nm float32[64,3]\nk float32[64,2]\nconst s int64[2] = [2 -1]",
		"a float32[2,4,4,4] = Conv(x, w)\nf float32[2,64] = Reshape(a, s)\nu float32[2,3] = MatMul(f, m)\nv float32[2,2] = Gemm(f, k)\ny float32[2,5] = Concat(u, v) {axis=1}", 1},
	{"shuffled channels", "1,3,4,5", "w float32[6,3,1,1]\nv float32[6,1,3,3]\nconst s int64[5] = [1 2 3 4 5]\nconst t int64[4] = [1 6 4 5]\nconst a int64[2] = [2 3]",
		"c float32[1,6,4,5] = Conv(x, w)\np float32[1,2,3,4,5] = Reshape(c, s)\nq float32[1,3,2,4,5] = Transpose(p) {perm=i[0 2 1 3 4]}\nr float32[1,6,4,5] = Reshape(q, t)\nd float32[1,6,4,5] = Conv(r, v) {group=6, pads=i[1 1 1 1]}\ny float32[1,6] = ReduceMean(d, a) {keepdims=0}", 2},
	{"slopes, operands and axes", "1,3,6,6", "w float32[4,3,3,3]\ns float32[4,1,1]\nf float32[1,4,1,1]\nconst h int64[2] = [2 2]\nconst p int64[8] = [0 0 1 0 0 0 0 2]\nconst b int64[1] = [1]\nconst e int64[1] = [5]\nconst i int64[1] = [2]\nconst m int64[2] = [2 3]",
		"a float32[1,4,6,6] = Conv(x, w) {pads=i[1 1 1 1]}\nr float32[1,4,6,6] = PRelu(a, s)\ng float32[1,4,6,6] = Mul(r, f)\nu float32[1,2,6,6], v float32[1,2,6,6] = Split(g, h) {axis=1}\nc float32[1,4,6,6] = Concat(v, u) {axis=1}\nk float32[1,4,7,8] = Pad(c, p)\nl float32[1,4,4,8] = Slice(k, b, e, i)\ny float32[1,4] = ReduceMean(l, m) {keepdims=0}", 1},
	{"a normalization that stands alone", "1,3,4,4", "w float32[2,3,1,1]\ng float32[3]\nb float32[3]\nm float32[3]\nconst v float32[3] = [1 2 0.5]\nconst a int64[2] = [2 3]",
		"n float32[1,3,4,4] = BatchNormalization(x, g, b, m, v)\nr float32[1,3,4,4] = Relu(n)\nc float32[1,2,4,4] = Conv(r, w)\ny float32[1,2] = ReduceMean(c, a) {keepdims=0}", 1},
	{"means that leave padding out", "1,2,8,8", "const a int64[2] = [2 3]",
		"p float32[1,2,4,4] = AveragePool(x) {kernel_shape=i[3 3], strides=i[2 2], pads=i[1 1 1 1]}\nq float32[1,2,1,1] = AveragePool(p) {kernel_shape=i[5 5], pads=i[0 0 1 1]}\ny float32[1,2] = ReduceMean(q, a) {keepdims=0}", 1},
	{"a sum of three", "1,2,3,3", "c float32[2,1,1]", "y float32[1,2,3,3] = Sum(x, c, x)", 0},
}

// TestWritingTFLiteTurnsNetworks counts the transposes of each case, which
// computes what it did.
func TestWritingTFLiteTurnsNetworks(t *testing.T) {
	for _, c := range turnedCases {
		t.Run(c.name, func(t *testing.T) {
			g := liteGraph(t, c.in, c.consts, c.nodes)
			back := lite(t, g)
			if n := transposesOf(back); n > c.most {
				t.Errorf("%d transposes, want at most %d:\n%s", n, c.most, ir.Format(back))
			}
			shape, _ := g.Inputs[0].Shape.Ints()
			x := liteNoise(1, shape...)
			sameNumbers(t, liteRun(t, back, x), liteRun(t, g, x))
		})
	}
}

func transposesOf(g *ir.Graph) int {
	n := 0
	for _, k := range g.Nodes {
		o := k.Op
		if q, ok := o.(*op.Quantized); ok {
			o = q.Inner
		}
		if _, ok := o.(*op.Transpose); ok {
			n++
		}
	}
	return n
}

// TestWritingTFLiteAddsFewTransposes: the files of quantized networks have two
// transposes more than the networks had, at most.
func TestWritingTFLiteAddsFewTransposes(t *testing.T) {
	if testing.Short() {
		t.Skip("quantizes a dozen networks")
	}
	files := append(lightModels(t), filepath.Join(fixtures, "digits_vit", "digits_vit.op14.onnx"), filepath.Join(fixtures, "digits_mobilenet", "digits_mobilenet.op13.onnx"),
		filepath.Join(realModels, "ultraface", "version-RFB-320.onnx"), filepath.Join(realModels, "super-resolution", "super_resolution.onnx"))
	files = slices.DeleteFunc(files, func(path string) bool { _, err := os.Stat(path); return err != nil })
	if len(files) == 0 {
		t.Skip("neither the conformance models nor the fixtures are here")
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			m := open(t, path)
			seedWeights(m.graph)
			samples, err := m.RandomSamples(1, 7)
			if err != nil {
				t.Fatal(err)
			}
			r := Recipe{Mode: Static, Target: "litert", Algorithms: []string{"none"}}
			r.Activations.Observer = "minmax"
			q, err := Quantize(context.Background(), m, r, WithCalibration(samples))
			if err != nil {
				t.Fatal(err)
			}
			b, err := liteFile(q.graph, format.EncodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			lite, err := tflite.Decode(format.FromBytes("case.tflite", b))
			if err != nil {
				t.Fatal(err)
			}
			if n, was := transposesOf(lite.Graph), transposesOf(q.graph); n > was+2 {
				t.Errorf("%d transposes, the model has %d", n, was)
			}
		})
	}
}

// lightModels writes the nine networks of ONNX's tests whose weights are one
// number each to files, and returns their paths.
func lightModels(t *testing.T) (files []string) {
	f, err := os.Open(filepath.Join("..", "shared", "conformance", "onnx-models.tar.gz"))
	if err != nil {
		t.Logf("without the conformance models: %v", err)
		return nil
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		name, ok := strings.CutPrefix(h.Name, "light/light_")
		if !ok || !strings.HasSuffix(name, ".onnx") {
			continue
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
}

// seedWeights gives what a ConstantOfShape fills noise in its place.
func seedWeights(g *ir.Graph) {
	for i, n := range g.Nodes {
		if _, fills := n.Op.(*op.ConstantOfShape); !fills {
			continue
		}
		shape, ok := n.In[0].Fact.Numbers()
		if !ok || len(shape) == 0 {
			continue
		}
		w := liteNoise(uint32(i+1), shape...)
		v := tensor.Data[float32](w)
		size := 0.2
		if len(shape) > 1 {
			size = math.Sqrt(6 / float64(w.Len()/shape[0]))
		}
		for k := range v {
			v[k] *= float32(size)
			if len(shape) == 1 {
				v[k] += 1 // scales and variances lie around 1
			}
		}
		n.Op, n.In = op.New[op.Identity](), []*ir.Value{ir.NewConst(n.Out[0].Name+"/noise", w)}
	}
}
