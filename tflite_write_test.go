package octavo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/tflite"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// liteCases are graphs of each family of operators that is written as TensorFlow
// Lite: the input's shape, constants (of floats, by shape: they get noise; with
// their elements otherwise), and the nodes up to y.
var liteCases = []struct{ name, in, consts, nodes string }{
	{"conv valid", "1,2,7,6", "w float32[4,2,3,3]", "y float32[1,4,5,4] = Conv(x, w)"},
	{"conv same", "1,2,7,6", "w float32[4,2,3,3]\nb float32[4]", "y float32[1,4,7,6] = Conv(x, w, b) {pads=i[1 1 1 1]}"},
	{"conv same with strides", "1,2,8,8", "w float32[4,2,3,3]\nb float32[4]", "y float32[1,4,4,4] = Conv(x, w, b) {pads=i[0 0 1 1], strides=i[2 2]}"},
	{"conv explicit pads", "1,2,8,8", "w float32[4,2,3,3]", "y float32[1,4,4,4] = Conv(x, w) {pads=i[1 1 1 1], strides=i[2 2]}"},
	{"conv dilated", "1,2,9,9", "w float32[4,2,3,3]", "y float32[1,4,5,5] = Conv(x, w) {dilations=i[2 2]}"},
	{"conv and relu", "1,2,7,6", "w float32[4,2,3,3]", "a float32[1,4,5,4] = Conv(x, w)\ny float32[1,4,5,4] = Relu(a)"},
	{"depthwise", "1,4,7,6", "w float32[8,1,3,3]\nb float32[8]", "y float32[1,8,5,4] = Conv(x, w, b) {group=4}"},
	{"grouped", "1,4,7,6", "w float32[6,2,3,3]", "y float32[1,6,5,4] = Conv(x, w) {group=2}"},
	{"conv of one axis", "1,3,9", "w float32[4,3,3]\nb float32[4]", "y float32[1,4,9] = Conv(x, w, b) {pads=i[1 1]}"},
	{"depthwise of one axis", "1,3,9", "w float32[3,1,3]", "y float32[1,3,7] = Conv(x, w) {group=3}"},
	{"transposed", "1,3,4,4", "w float32[3,2,2,2]\nb float32[2]", "y float32[1,2,8,8] = ConvTranspose(x, w, b) {strides=i[2 2]}"},
	{"transposed same", "1,3,4,4", "w float32[3,2,3,3]", "y float32[1,2,8,8] = ConvTranspose(x, w) {strides=i[2 2], pads=i[0 0 1 1]}"},
	{"max pool", "1,2,6,6", "", "y float32[1,2,3,3] = MaxPool(x) {kernel_shape=i[2 2], strides=i[2 2]}"},
	{"max pool with pads", "1,2,7,7", "", "y float32[1,2,4,4] = MaxPool(x) {kernel_shape=i[3 3], strides=i[2 2], pads=i[1 1 1 1]}"},
	{"average pool", "1,2,6,6", "", "y float32[1,2,3,3] = AveragePool(x) {kernel_shape=i[2 2], strides=i[2 2]}"},
	{"average pool counting pads", "1,2,8,8", "", "y float32[1,2,4,4] = AveragePool(x) {kernel_shape=i[3 3], strides=i[2 2], pads=i[1 1 1 1], count_include_pad=1}"},
	{"global average", "1,3,5,4", "", "y float32[1,3,1,1] = GlobalAveragePool(x)"},
	{"gemm", "2,5", "w float32[3,5]\nb float32[3]", "y float32[2,3] = Gemm(x, w, b) {transB=1}"},
	{"gemm not transposed", "2,5", "w float32[5,3]", "y float32[2,3] = Gemm(x, w)"},
	{"product of rows", "2,4,5", "w float32[5,3]", "y float32[2,4,3] = MatMul(x, w)"},
	{"product of two results", "2,4,4", "", "a float32[2,4,4] = Sigmoid(x)\ny float32[2,4,4] = MatMul(x, a)"},
	{"concat", "1,2,3,4", "c float32[1,2,2,4]", "y float32[1,2,5,4] = Concat(x, c) {axis=2}"},
	{"means", "2,3,4,5", "const a int64[2] = [2 3]", "y float32[2,3] = ReduceMean(x, a) {keepdims=0}"},
	{"sums of all", "2,3,4", "", "y float32[1,1,1] = ReduceSum(x)"},
	{"slice backwards", "4,6", "const s int64[2] = [1 -1]\nconst e int64[2] = [4 -9999]\nconst a int64[2] = [0 1]\nconst t int64[2] = [2 -2]", "y float32[2,3] = Slice(x, s, e, a, t)"},
	{"split", "2,6", "const s int64[2] = [2 4]", "a float32[2,2], b float32[2,4] = Split(x, s) {axis=1}\ny float32[2,6] = Concat(b, a) {axis=1}"},
	{"split with a part that nothing reads", "2,6", "", "a float32[2,2], _, _ = Split(x) {axis=1, num_outputs=3}\ny float32[2,2] = Relu(a)"},
	{"bilinear resize", "1,2,3,4", "const s float32[4] = [1 1 2 2]", `y float32[1,2,6,8] = Resize(x, _, s) {mode="linear"}`},
	{"nearest resize", "1,2,3,4", "const s float32[4] = [1 1 2 2]", `y float32[1,2,6,8] = Resize(x, _, s) {mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"}`},
	{"pad", "1,2,3,4", "const p int64[8] = [0 0 1 2 0 1 0 1]\nconst v float32[] = [1.5]", "y float32[1,3,4,7] = Pad(x, p, v)"},
	{"reflected", "2,5", "const p int64[4] = [0 2 0 1]", `y float32[2,8] = Pad(x, p) {mode="reflect"}`},
	{"softmax of the first axis", "3,4,2", "", "y float32[3,4,2] = Softmax(x) {axis=0}"},
	{"layer normalization", "2,3,8", "g float32[8]\nb float32[8]", "y float32[2,3,8] = LayerNormalization(x, g, b)"},
	{"hard sigmoid", "2,8", "", "y float32[2,8] = HardSigmoid(x) {alpha=0.25f, beta=0.5f}"},
	{"clip", "2,8", "const l float32[] = [-0.25]\nconst h float32[] = [0.5]", "y float32[2,8] = Clip(x, l, h)"},
	{"clip at 6", "2,8", "const l float32[] = [0]\nconst h float32[] = [6]", "y float32[2,8] = Clip(x, l, h)"},
	{"transpose", "2,3,4", "", "y float32[4,2,3] = Transpose(x) {perm=i[2 0 1]}"},
	{"gather", "4,3", "const i int64[3] = [-1 0 2]", "y float32[3,3] = Gather(x, i)"},
	{"expand", "3,1", "const s int64[3] = [2 1 4]", "y float32[2,3,4] = Expand(x, s)"},
	{"tile", "2,3", "const r int64[2] = [1 2]", "y float32[2,6] = Tile(x, r)"},
	{"sizes of some axes", "2,3,1", "", "s int64[2] = Shape(x) {start=0, end=-1}\ny float32[2,3] = Reshape(x, s)"},
	{"slices at places", "3,4", "const at int64[2,2] = [0 -1 2 1]", "y float32[2] = GatherND(x, at)"},
	{"unit lengths", "3,4", "", "y float32[3,4] = LpNormalization(x)"},
	{"no numbers", "2,8", "", "l float32[2,8] = Log(x)\nm bool[2,8] = IsNaN(l)\ny float32[2,8] = Where(m, x, l)"},
	{"sum, product and quotient", "2,3", "c float32[3]", "a float32[2,3] = Add(x, c)\nb float32[2,3] = Mul(a, x)\ny float32[2,3] = Div(b, c)"},
}

// liteNoise fills a shape with numbers of about -1 to 1, other ones for each seed.
func liteNoise(seed uint32, shape ...int) *tensor.Tensor {
	n, _ := tensor.Count(shape)
	out := make([]float32, n)
	for i := range out {
		seed = seed*1664525 + 1013904223
		out[i] = float32(int32(seed>>8)-1<<23) / (1 << 23)
	}
	return tensor.FromSlice(out, shape...)
}

// liteGraph makes the graph of a case.
func liteGraph(t *testing.T, in, consts, nodes string) *ir.Graph {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "graph case\ninput x float32[%s]\n", in)
	for i, line := range strings.Split(consts, "\n") {
		name, fact, _ := strings.Cut(line, " ")
		switch name {
		case "":
		case "const":
			b.WriteString(line + "\n")
		default:
			var shape []int
			for d := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(fact, "float32["), "]"), ",") {
				var n int
				if _, err := fmt.Sscan(d, &n); err != nil {
					t.Fatal(err)
				}
				shape = append(shape, n)
			}
			fmt.Fprintf(&b, "const %s %s = %v\n", name, fact, tensor.Data[float32](liteNoise(uint32(i+7), shape...)))
		}
	}
	g, err := ir.Parse(b.String() + nodes + "\noutput y\n")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// lite writes a graph as TensorFlow Lite and reads it.
func lite(t *testing.T, g *ir.Graph) *ir.Graph {
	t.Helper()
	b, err := liteFile(g, format.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := tflite.Decode(format.FromBytes("case.tflite", b))
	if err != nil {
		t.Fatal(err)
	}
	return m.Graph
}

// liteFile lowers a copy of g and writes it.
func liteFile(g *ir.Graph, o format.EncodeOptions) ([]byte, error) {
	c, _ := g.Clone()
	if err := pass.Lower(c, pass.Form{Arithmetic: ir.TFLite, ChannelsLast: true}); err != nil {
		return nil, err
	}
	e, err := tflite.Encode(c, o)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	n, err := e.Main.WriteTo(&b)
	if err == nil && (n != e.Main.Size || n != int64(b.Len())) {
		err = fmt.Errorf("%d bytes where %d were announced, and %d counted", b.Len(), e.Main.Size, n)
	}
	return b.Bytes(), err
}

// liteRun runs a graph on x, its one input.
func liteRun(t *testing.T, g *ir.Graph, x *tensor.Tensor) *tensor.Tensor {
	t.Helper()
	p, err := runtime.Compile(g, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(context.Background(), runtime.Tensors{g.Inputs[0].Name: x})
	if err != nil {
		t.Fatal(err)
	}
	return out[g.Outputs[0].Name]
}

// TestWritingTFLiteKeepsTheMeaning writes each case and reads it back: it
// computes the same, to 1e-6 of the range, and is the same file each time.
func TestWritingTFLiteKeepsTheMeaning(t *testing.T) {
	for _, c := range liteCases {
		t.Run(c.name, func(t *testing.T) {
			g := liteGraph(t, c.in, c.consts, c.nodes)
			b, err := liteFile(g, format.EncodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			again, err := liteFile(g, format.EncodeOptions{})
			if err != nil || !bytes.Equal(b, again) {
				t.Errorf("written twice, the files differ: %v", err)
			}
			shape, _ := g.Inputs[0].Shape.Ints()
			x := liteNoise(1, shape...)
			want := liteRun(t, g, x)
			m, err := tflite.Decode(format.FromBytes("case.tflite", b))
			if err != nil {
				t.Fatal(err)
			}
			sameNumbers(t, liteRun(t, m.Graph, x), want)
		})
	}
}

// sameNumbers compares two results, to 1e-6 of the largest magnitude.
func sameNumbers(t *testing.T, got, want *tensor.Tensor) {
	t.Helper()
	if !slices.Equal(got.Shape(), want.Shape()) || got.Type() != want.Type() {
		t.Fatalf("%v of %v, want %v of %v", got.Type(), got.Shape(), want.Type(), want.Shape())
	}
	if got.Type() != dtype.Float32 {
		if !tensor.Equal(got, want) {
			t.Error("integers differ")
		}
		return
	}
	a, b, most := tensor.Data[float32](got), tensor.Data[float32](want), float64(0)
	for _, v := range b {
		most = max(most, math.Abs(float64(v)))
	}
	for i := range b {
		if d := math.Abs(float64(a[i]) - float64(b[i])); !(d <= most*1e-6) {
			t.Fatalf("element %d is %v, want %v", i, a[i], b[i])
		}
	}
}

// TestWritingTFLiteRefuses: an operator without a counterpart is named.
func TestWritingTFLiteRefuses(t *testing.T) {
	for _, c := range []struct{ name, in, consts, nodes, want string }{
		{"no counterpart", "2,3", "", "y float32[2,3] = Asinh(x)", "Asinh"},
		{"three spatial axes", "1,1,4,4,4", "w float32[1,1,2,2,2]", "y float32[1,1,3,3,3] = Conv(x, w)", "Conv"},
		{"another alpha", "2,3", "", "y float32[2,3] = Elu(x) {alpha=0.5f}", "Elu"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := liteFile(liteGraph(t, c.in, c.consts, c.nodes), format.EncodeOptions{})
			var ue *diag.UnsupportedError
			if !errors.As(err, &ue) || !strings.Contains(err.Error(), c.want) || ue.Hint == "" {
				t.Errorf("%v, want an UnsupportedError that names %s and says what would work", err, c.want)
			}
		})
	}
}

// TestWritingTFLiteDataBehind: above the limit, data lies behind the flatbuffer,
// and is read from there.
func TestWritingTFLiteDataBehind(t *testing.T) {
	g := liteGraph(t, "2,64", "w float32[32,64]\nv float32[16,32]", "a float32[2,32] = Gemm(x, w) {transB=1}\ny float32[2,16] = Gemm(a, v) {transB=1}")
	inside, err := liteFile(g, format.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	behind, err := liteFile(g, format.EncodeOptions{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(behind, []byte("buffer_location")) || bytes.Contains(inside, []byte("buffer_location")) {
		t.Error("the metadata buffer_location is in the wrong file")
	}
	x := liteNoise(1, 2, 64)
	for _, b := range [][]byte{inside, behind} {
		m, err := tflite.Decode(format.FromBytes("case.tflite", b))
		if err != nil {
			t.Fatal(err)
		}
		sameNumbers(t, liteRun(t, m.Graph, x), liteRun(t, g, x))
	}
}

// TestWritingTFLiteModels writes whole models as they are and quantized, and
// compares: floats to 1e-5 of the range, quantized ones to a tenth of it, as means
// and normalizations are other operators there, which round elsewhere; ranges are
// those of the inputs, as what a range cuts off makes such differences greater. What was
// read and is written anew is the same to the bit.
func TestWritingTFLiteModels(t *testing.T) {
	needFixtures(t)
	for _, file := range []string{"digits_mlp/digits_mlp.op13", "digits_resnet/digits_resnet.op13", "digits_mobilenet/digits_mobilenet.op13", "digits_vit/digits_vit.op14"} {
		t.Run(filepath.Base(file), func(t *testing.T) {
			m := open(t, filepath.Join(fixtures, file+".onnx"))
			in := readArray(t, filepath.Join(fixtures, filepath.Dir(file), "inputs.npy"))
			var samples []Sample
			for i, n := 0, in.Len()/in.Shape()[0]; i < in.Shape()[0]; i++ {
				x := tensor.FromSlice(tensor.Data[float32](in)[i*n:i*n+n], append([]int{1}, in.Shape()[1:]...)...)
				samples = append(samples, Sample{Inputs: Inputs{m.graph.Inputs[0].Name: x}})
			}
			r := Recipe{Mode: Static, Target: "litert", Algorithms: []string{"none"}}
			r.Activations.Observer = "minmax"
			q, err := Quantize(context.Background(), m, r, WithCalibration(inputsOf(samples)))
			if err != nil {
				t.Fatal(err)
			}
			s, err := Convert(m, Conversion{Simplify: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range []struct {
				of     *Model
				within float64
			}{{s, 1e-5}, {q, 0.1}} {
				path := filepath.Join(t.TempDir(), "model.tflite")
				low, _ := k.of.graph.Clone()
				if err := pass.Lower(low, pass.Form{Arithmetic: ir.TFLite, ChannelsLast: true}); err != nil {
					t.Fatal(err)
				}
				if err := k.of.Save(path); err != nil {
					t.Fatal(err)
				}
				back := open(t, path)
				x := tensor.FromSlice(tensor.Data[float32](in)[:in.Len()/in.Shape()[0]*2], append([]int{2}, in.Shape()[1:]...)...)
				want := tensor.Data[float32](liteRun(t, low, x))
				got := tensor.Data[float32](liteRun(t, back.graph, x))
				most := float64(0)
				for _, v := range want {
					most = max(most, math.Abs(float64(v)))
				}
				for i := range want {
					if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= most*k.within) {
						t.Fatalf("element %d is %v, want %v", i, got[i], want[i])
					}
				}
				anew := filepath.Join(t.TempDir(), "anew.tflite")
				c, err := Convert(back, Conversion{})
				if err != nil {
					t.Fatal(err)
				}
				if err := c.Save(anew); err != nil {
					t.Fatal(err)
				}
				if again := liteRun(t, open(t, anew).graph, x); !slices.Equal(tensor.Data[float32](again), got) {
					t.Errorf("written anew: %v, want %v", tensor.Data[float32](again), got)
				}
			}
		})
	}
}
