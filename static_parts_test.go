package octavo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestStaticParts quantizes operators of transformers, detectors and decoders
// between products statically: which of them stay float for a target is as its
// rules say, and the integers cost little.
func TestStaticParts(t *testing.T) {
	for _, c := range []struct {
		name, inputs, consts, nodes string
		float                       []string // operators that stay float, for the octavo engine
		cpu                         []string // … for onnxruntime-cpu
	}{
		{"transposed convolution", "x float32[1,4,5,5]", "w float32[4,6,3,3]\nb float32[6]\nv float32[4,6,1,1]",
			"u float32[1,6,10,10] = ConvTranspose(x, w, b) {strides=i[2 2], pads=i[1 1 1 1], output_padding=i[1 1]}\nr float32[1,6,10,10] = Relu(u)\ny float32[1,4,10,10] = Conv(r, v)",
			nil, nil},
		{"resize between convolutions", "x float32[1,4,12,12]", "w float32[6,4,3,3]\nv float32[4,6,1,1]\nconst s float32[4] = [1 1 2 2]",
			"a float32[1,6,10,10] = Conv(x, w)\n" + `u float32[1,6,20,20] = Resize(a, _, s) {mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"}` + "\ny float32[1,4,20,20] = Conv(u, v)",
			nil, nil},
		{"parts of a value", "x float32[2,8]", "w float32[8,12]\nconst p int64[3] = [4 4 4]\nv float32[4,4]\nconst i int64[2] = [3 0]",
			"a float32[2,12] = MatMul(x, w)\nb float32[2,4], c float32[2,4], d float32[2,4] = Split(a, p) {axis=1}\ne float32[2,4] = Add(b, c)\nf float32[2,2] = Gather(d, i) {axis=1}\nz float32[2,6] = Concat(e, f) {axis=1}\nu float32[2,4] = Slice(z, one, five, one)\ny float32[2,4] = MatMul(u, v)",
			[]string{"Add", "Concat"}, []string{"Add", "Concat"}},
		{"embeddings", "x int64[1,6]", "t float32[9,8]\nw float32[8,8]\ng float32[8]\nb float32[8]",
			"e float32[1,6,8] = Gather(t, x)\nn float32[1,6,8] = LayerNormalization(e, g, b)\na float32[1,6,8] = MatMul(n, w)\nq float32[1,6,8] = Gelu(a)\ny float32[1,6,8] = MatMul(q, w)",
			[]string{"Gelu", "LayerNormalization"}, []string{"Gelu", "LayerNormalization"}},
		{"EmbedLayerNormalization", "x int32[1,6]", "t float32[9,8]\nw float32[8,8]\np float32[6,8]\ng float32[8]\nb float32[8]",
			"n float32[1,6,8], _ = EmbedLayerNormalization(x, _, t, p, _, g, b)\na float32[1,6,8] = MatMul(n, w)\nz float32[1,6,8] = SkipLayerNormalization(a, n, g, b)\ny float32[1,6,8] = MatMul(z, w)",
			[]string{"EmbedLayerNormalization", "SkipLayerNormalization"}, []string{"EmbedLayerNormalization", "SkipLayerNormalization"}},
		{"GroupQueryAttention", "x float32[1,5,8]", "wq float32[8,8]\nwk float32[8,4]\nwv float32[8,4]\nwo float32[8,8]\nconst last int32[1] = [4]\nconst total int32[] = [5]",
			"q float32[1,5,8] = MatMul(x, wq)\nk float32[1,5,4] = MatMul(x, wk)\nv float32[1,5,4] = MatMul(x, wv)\na float32[1,5,8], _, _ = GroupQueryAttention(q, k, v, _, _, last, total) {num_heads=4, kv_num_heads=2}\ny float32[1,5,8] = MatMul(a, wo)",
			[]string{"GroupQueryAttention"}, []string{"GroupQueryAttention"}},
		{"MultiHeadAttention", "x float32[1,5,8]", "wq float32[8,8]\nwk float32[8,8]\nwv float32[8,8]\nwo float32[8,8]",
			"q float32[1,5,8] = MatMul(x, wq)\nk float32[1,5,8] = MatMul(x, wk)\nv float32[1,5,8] = MatMul(x, wv)\na float32[1,5,8] = MultiHeadAttention(q, k, v) {num_heads=2}\ny float32[1,5,8] = MatMul(a, wo)",
			[]string{"MultiHeadAttention"}, []string{"MultiHeadAttention"}},
	} {
		for target, float := range map[string][]string{"octavo": c.float, "onnxruntime-cpu": c.cpu} {
			t.Run(c.name+" for "+target, func(t *testing.T) {
				m := textModel(t, staticPart(t, c.inputs, c.consts, c.nodes))
				samples := partSamples(t, m)
				q, err := Quantize(context.Background(), m, Recipe{Mode: Static, Target: target}, WithCalibration(inputsOf(samples[:16])))
				if err != nil {
					t.Fatal(err)
				}
				var left []string
				for _, s := range q.Report.Float {
					if !slices.Contains(left, s.Op) {
						left = append(left, s.Op)
					}
				}
				slices.Sort(left)
				want := slices.Sorted(slices.Values(float))
				if !slices.Equal(left, want) {
					t.Errorf("float stay %v, %v are to: %+v", left, want, q.Report.Float)
				}
				a, b := partAnswers(t, m, samples[16:]), partAnswers(t, q, samples[16:])
				if s := signalToNoise(a, b); !(s >= 30) {
					t.Errorf("SQNR %.1f dB, at least 30 are wanted", s)
				}
			})
		}
	}
}

// staticPart is the text of a graph: floats that are given by their shapes get
// noise.
func staticPart(t *testing.T, inputs, consts, nodes string) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "graph part\ninput %s\n", inputs)
	for i, line := range strings.Split(consts+"\nconst one int64[1] = [1]\nconst five int64[1] = [5]", "\n") {
		if name, fact, _ := strings.Cut(line, " "); name == "const" {
			b.WriteString(line + "\n")
		} else {
			v, err := ir.Parse("graph shape\ninput " + line + "\noutput " + name + "\n")
			if err != nil {
				t.Fatal(err)
			}
			shape, _ := v.Inputs[0].Shape.Ints()
			fmt.Fprintf(&b, "const %s %s = %v\n", name, fact, Data[float32](partNoise(uint64(i), shape)))
		}
	}
	return b.String() + nodes + "\noutput y\n"
}

// partSamples are 32 samples of the model's one input: noise, or indices below 9.
func partSamples(t *testing.T, m *Model) []Sample {
	t.Helper()
	in := m.graph.Inputs[0]
	shape, _ := in.Shape.Ints()
	var out []Sample
	for i := range 32 {
		x := partNoise(uint64(i)+100, shape)
		if in.Type != dtype.Float32 {
			k := tensor.New(in.Type, shape...)
			for j, v := range tensor.Data[float32](x) {
				n := int(4.5 + 4.4*float64(v))
				if in.Type == dtype.Int64 {
					tensor.Data[int64](k)[j] = int64(n)
				} else {
					tensor.Data[int32](k)[j] = int32(n)
				}
			}
			x = k
		}
		out = append(out, Sample{Inputs: Inputs{in.Name: x}})
	}
	return out
}

// partNoise fills a shape with numbers from -1 to 1.
func partNoise(seed uint64, shape []int) *tensor.Tensor {
	r := rand.New(rand.NewPCG(seed, 1))
	x := tensor.New(dtype.Float32, shape...)
	for i := range tensor.Data[float32](x) {
		tensor.Data[float32](x)[i] = 2*r.Float32() - 1
	}
	return x
}

func partAnswers(t *testing.T, m *Model, samples []Sample) [][]float32 {
	t.Helper()
	p := compiled(t, m)
	var out [][]float32
	for _, s := range samples {
		y, err := p.Run(context.Background(), s.Inputs)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, slices.Clone(Data[float32](y["y"])))
	}
	return out
}
