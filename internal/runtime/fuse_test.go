package runtime

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// net builds a graph node by node, with random constants.
type net struct {
	g *ir.Graph
	r *rand.Rand
	n int
}

func newNet() *net { return &net{g: &ir.Graph{Name: "g"}, r: rand.New(rand.NewPCG(5, 9))} }

func (b *net) name() string {
	b.n++
	return fmt.Sprintf("v%d", b.n)
}

func (b *net) input(shape ...int) *ir.Value {
	v := &ir.Value{Name: b.name(), Fact: op.TensorFact(dtype.Float32, op.Known(shape...))}
	b.g.Inputs = append(b.g.Inputs, v)
	return v
}

func (b *net) floats(spread float32, shape ...int) *tensor.Tensor {
	t := tensor.New(dtype.Float32, shape...)
	for i := range tensor.Data[float32](t) {
		tensor.Data[float32](t)[i] = spread * float32(b.r.NormFloat64())
	}
	return t
}

func (b *net) constant(t *tensor.Tensor) *ir.Value { return ir.NewConst(b.name(), t) }

func (b *net) node(o op.Op, in ...*ir.Value) *ir.Value {
	v := &ir.Value{Name: b.name()}
	b.g.Nodes = append(b.g.Nodes, &ir.Node{Name: v.Name, Op: o, In: in, Out: []*ir.Value{v}})
	return v
}

func (b *net) reshape(x *ir.Value, shape ...int64) *ir.Value {
	return b.node(&op.Reshape{}, x, b.constant(tensor.FromSlice(shape, len(shape))))
}

// grid is what a value is rounded to, nothing without a scale.
type grid struct {
	scale float32
	zero  int
	typ   dtype.Type
}

func (q grid) operands(b *net) (scale, zero *ir.Value) {
	z := tensor.New(q.typ)
	z.Bytes()[0] = byte(q.zero)
	return b.constant(tensor.FromSlice([]float32{q.scale})), b.constant(z)
}

// round quantizes and dequantizes a value.
func (b *net) round(x *ir.Value, q grid) *ir.Value {
	if q.scale == 0 {
		return x
	}
	s, z := q.operands(b)
	return b.node(&op.DequantizeLinear{Axis: 1}, b.node(&op.QuantizeLinear{Axis: 1, Saturate: true}, x, s, z), s, z)
}

// weight is a constant matrix, of int8 where integers is set.
func (b *net) weight(integers bool, k, n int) *ir.Value {
	if !integers {
		return b.constant(b.floats(0.3, k, n))
	}
	w := tensor.New(dtype.Int8, k, n)
	for i := range w.Bytes() {
		w.Bytes()[i] = byte(b.r.IntN(255) - 127)
	}
	scale := b.floats(1, n)
	for i, v := range tensor.Data[float32](scale) {
		tensor.Data[float32](scale)[i] = 0.002 + 0.001*v*v
	}
	return b.node(&op.DequantizeLinear{Axis: 1}, b.constant(w), b.constant(scale))
}

// ranged are the grids of an attention: of its operands, scores and
// probabilities.
type ranged struct{ q, k, v, s, p, y grid }

var (
	noGrids  ranged
	integers = ranged{
		q: grid{0.03, 120, dtype.Uint8}, k: grid{0.025, 131, dtype.Uint8}, v: grid{0.02, 128, dtype.Uint8},
		p: grid{1. / 255, 0, dtype.Uint8}, y: grid{0.01, 119, dtype.Uint8},
	}
	signedBytes = ranged{
		q: grid{0.03, 3, dtype.Int8}, k: grid{0.025, -7, dtype.Int8}, v: grid{0.02, 0, dtype.Int8},
		p: grid{1. / 255, -128, dtype.Int8}, y: grid{0.01, 5, dtype.Int8},
	}
	rounded = ranged{
		q: grid{0.03, 120, dtype.Uint8}, k: grid{0.025, 131, dtype.Uint8}, v: grid{0.02, 9, dtype.Uint8},
		s: grid{0.05, 100, dtype.Uint8}, p: grid{1. / 255, 0, dtype.Uint8}, y: grid{0.01, 119, dtype.Uint8},
	}
)

// attend is self-attention over x of [batch, tokens, heads·d].
func (b *net) attend(x *ir.Value, batch, tokens, heads, d int, mask *ir.Value, r ranged) *ir.Value {
	head := func(q grid, perm ...int) *ir.Value {
		y := b.node(&op.Add{}, b.node(&op.MatMul{}, x, b.weight(false, heads*d, heads*d)), b.constant(b.floats(0.1, heads*d)))
		y = b.node(&op.Transpose{Perm: perm}, b.reshape(y, int64(batch), int64(tokens), int64(heads), int64(d)))
		return b.round(y, q)
	}
	q, k, v := head(r.q, 0, 2, 1, 3), head(r.k, 0, 2, 3, 1), head(r.v, 0, 2, 1, 3)
	s := b.round(b.node(&op.MatMul{}, q, k), r.s)
	s = b.node(&op.Mul{}, s, b.constant(tensor.FromSlice([]float32{0.35})))
	if mask != nil {
		s = b.node(&op.Add{}, s, mask)
	}
	p := b.round(b.node(&op.Softmax{Axis: -1}, s), r.p)
	y := b.round(b.node(&op.MatMul{}, p, v), r.y)
	y = b.round(b.node(&op.Transpose{Perm: []int{0, 2, 1, 3}}, y), r.y)
	return b.round(b.reshape(y, int64(batch), int64(tokens), int64(heads*d)), r.y)
}

// run runs a graph once fused and once node by node, on several numbers of
// threads, and returns the number of steps of the fused plan.
func (b *net) run(t *testing.T, outputs []*ir.Value, keep ...string) int {
	t.Helper()
	b.g.Outputs = outputs
	in := Tensors{}
	for _, v := range b.g.Inputs {
		s, _ := v.Shape.Ints()
		in[v.Name] = b.floats(1, s...)
	}
	var want Tensors
	steps := 0
	for _, threads := range []int{0, 1, 3} {
		p, err := Compile(b.g, Options{Threads: threads, Keep: keep})
		if err != nil {
			t.Fatal(err)
		}
		p.plain = threads == 0
		got, err := p.Run(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		pl, err := p.planFor(in)
		if err != nil {
			t.Fatal(err)
		}
		if steps = len(pl.steps); p.plain {
			want = got
			continue
		}
		if threads == 1 && !raced && len(p.Reference()) == 0 {
			if n := testing.AllocsPerRun(5, func() { err = p.RunInto(context.Background(), in, got) }); n != 0 || err != nil {
				t.Errorf("%v allocations in a run: %v", n, err)
			}
		}
		for name, w := range want {
			if !tensor.Equal(got[name], w) {
				t.Errorf("%d threads: %q is %v, want %v", threads, name, got[name], w)
			}
		}
	}
	return steps
}

func TestAttentionIsItsOperatorsInTurn(t *testing.T) {
	for _, c := range []struct {
		name                    string
		batch, tokens, heads, d int
		mask                    []int
		grids                   ranged
	}{
		{"floats", 2, 70, 3, 8, nil, noGrids},
		{"floats masked by key", 1, 65, 2, 64, []int{1, 1, 1, 65}, noGrids},
		{"floats masked by head", 2, 5, 2, 6, []int{2, 5, 5}, noGrids},
		{"bytes", 1, 130, 2, 64, []int{1, 1, 1, 130}, integers},
		{"bytes of odd sizes", 2, 7, 3, 6, []int{2, 1, 7, 7}, integers},
		{"signed bytes", 2, 66, 2, 12, nil, signedBytes},
		{"rounded scores", 1, 50, 2, 16, []int{50, 1}, rounded},
		{"one token", 1, 1, 2, 4, nil, integers},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newNet()
			x := b.input(c.batch, c.tokens, c.heads*c.d)
			var mask *ir.Value
			if c.mask != nil {
				mask = b.input(c.mask...)
			}
			y := b.attend(x, c.batch, c.tokens, c.heads, c.d, mask, c.grids)
			// Three products with what follows them, the attention, and floats
			// again.
			want := 4
			if c.grids.y.scale != 0 {
				want++
			}
			if n := b.run(t, []*ir.Value{y}); n != want {
				t.Errorf("%d steps, want %d", n, want)
			}
		})
	}
}

func TestAttentionOfGivenMatrices(t *testing.T) {
	for _, bytes := range []bool{false, true} {
		b := newNet()
		q, k, v := b.input(3, 9, 5), b.input(1, 5, 20), b.input(3, 20, 7)
		g := noGrids
		if bytes {
			g = integers
		}
		s := b.node(&op.Div{}, b.node(&op.MatMul{}, b.round(q, g.q), b.round(k, g.k)), b.constant(tensor.FromSlice([]float32{2, 3, 4}, 3, 1, 1)))
		y := b.node(&op.MatMul{}, b.round(b.node(&op.Softmax{Axis: 2}, s), g.p), b.round(v, g.v))
		want := 1
		if bytes {
			want += 3
		}
		if n := b.run(t, []*ir.Value{y}); n != want {
			t.Errorf("%d steps, want %d", n, want)
		}
	}
}

// TestProductsOfActivations: the operators that split and join heads are gone,
// as far as the products' types and sizes have kernels.
func TestProductsOfActivations(t *testing.T) {
	for _, c := range []struct {
		name                    string
		grids                   ranged
		batch, tokens, heads, d int
		steps                   int
	}{
		{"floats", noGrids, 2, 7, 3, 5, 1},
		{"bytes", integers, 2, 60, 3, 20, 4},
		{"signed bytes", signedBytes, 1, 9, 2, 7, 4},
		{"bytes of long rows", integers, 1, 3, 2, 515, 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newNet()
			heads := func(x *ir.Value, q grid, perm ...int) *ir.Value {
				x = b.reshape(b.round(x, q), int64(c.batch), int64(c.tokens), int64(c.heads), int64(c.d))
				return b.round(b.node(&op.Transpose{Perm: perm}, b.round(x, q)), q)
			}
			x, y := b.input(c.batch, c.tokens, c.heads*c.d), b.input(c.batch, c.tokens, c.heads*c.d)
			z := b.node(&op.MatMul{}, heads(x, c.grids.q, 0, 2, 1, 3), heads(y, c.grids.k, 0, 2, 3, 1))
			z = b.round(b.node(&op.Transpose{Perm: []int{0, 2, 1, 3}}, b.round(z, c.grids.y)), c.grids.y)
			if n := b.run(t, []*ir.Value{z}); n != c.steps {
				t.Errorf("%d steps, want %d", n, c.steps)
			}
		})
	}
	// An operand that repeats.
	b := newNet()
	if n := b.run(t, []*ir.Value{b.node(&op.MatMul{}, b.input(4, 1, 5, 6), b.input(3, 6, 2))}); n != 1 {
		t.Errorf("%d steps, want 1", n)
	}
}

func TestProductsWithWhatFollowsThem(t *testing.T) {
	for _, integer := range []bool{false, true} {
		for _, typ := range []dtype.Type{dtype.Uint8, dtype.Int8} {
			for _, k := range []int{8, 30, 65} {
				for _, n := range []int{3, 64, 150} {
					t.Run(fmt.Sprint(integer, typ, k, n), func(t *testing.T) {
						b := newNet()
						x, other := b.input(2, 50, k), b.input(2, 50, n)
						in := x
						if integer {
							in = b.round(x, grid{0.02, 7, typ})
						}
						y := b.node(&op.MatMul{}, in, b.weight(integer, k, n))
						y = b.node(&op.Add{}, b.constant(b.floats(0.5, n)), y)
						z := b.node(op.New[op.Gelu](), y)
						z = b.node(&op.Add{}, z, other)
						z = b.node(&op.Relu{}, z)
						s, zero := grid{0.03, 11, typ}.operands(b)
						q := b.node(&op.QuantizeLinear{Axis: 1, Saturate: true}, z, s, zero)
						want := 1
						if integer {
							want++
						}
						if n := b.run(t, []*ir.Value{q}); n != want {
							t.Errorf("%d steps, want %d", n, want)
						}
						// A value that is asked for ends a group, whoever asks.
						if n := b.run(t, []*ir.Value{q, y}); n != want+1+3 {
							t.Errorf("with an output between %d steps, want %d", n, want+4)
						}
						if n := b.run(t, []*ir.Value{q}, y.Name); n != want+1+3 {
							t.Errorf("with a watched value between %d steps, want %d", n, want+4)
						}
					})
				}
			}
		}
	}
}

// TestQuantizationComesBeforeMoves: where elements are moved and then quantized,
// bytes move.
func TestQuantizationComesBeforeMoves(t *testing.T) {
	b := newNet()
	x := b.input(12)
	y := b.node(&op.Transpose{Perm: []int{1, 0}}, b.reshape(x, 3, 4))
	zero := tensor.New(dtype.Uint8, 1)
	zero.Bytes()[0] = 9
	q := b.node(&op.QuantizeLinear{Axis: 1, Saturate: true}, y, b.constant(tensor.FromSlice([]float32{0.1}, 1)), b.constant(zero))
	b.g.Outputs = []*ir.Value{q}
	in := Tensors{x.Name: b.floats(1, 12)}
	var out [2]*tensor.Tensor
	for i, o := range []Options{{NoFusion: true}, {}} {
		p, err := Compile(b.g, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, quantizes := p.g.Nodes[0].Op.(*op.QuantizeLinear); quantizes == o.NoFusion {
			t.Errorf("%+v: the first operator is %s", o, p.g.Nodes[0].Op.Name())
		}
		res, err := p.Run(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = res[q.Name]
	}
	if !tensor.Equal(out[0], out[1]) {
		t.Errorf("%v, want %v", out[1], out[0])
	}
	// A watched value stays where it is.
	p, err := Compile(b.g, Options{Keep: []string{y.Name}})
	if err != nil {
		t.Fatal(err)
	}
	if last := p.g.Nodes[len(p.g.Nodes)-1]; last.Op.Name() != "QuantizeLinear" {
		t.Errorf("%s comes last", last.Op.Name())
	}
}

func TestNormsAreQuantizedRowByRow(t *testing.T) {
	for _, both := range []bool{false, true} {
		b := newNet()
		x := b.input(2, 9, 70)
		y := b.node(&op.LayerNormalization{Axis: -1, Epsilon: 1e-5, StashType: dtype.Float32}, x, b.constant(b.floats(1, 70)), b.constant(b.floats(1, 70)))
		s, zero := grid{0.03, 11, dtype.Uint8}.operands(b)
		out := []*ir.Value{b.node(&op.QuantizeLinear{Axis: 1, Saturate: true}, y, s, zero)}
		if both {
			out = append(out, b.node(&op.Add{}, x, y))
		}
		if n := b.run(t, out); n != len(out) {
			t.Errorf("%d steps, want %d", n, len(out))
		}
	}
}

// TestGates: a value times a function of it is one step, if nobody else reads
// the function.
func TestGates(t *testing.T) {
	for _, f := range []op.Op{&op.Sigmoid{}, &op.Tanh{}, &op.Relu{}} {
		for _, turned := range []bool{false, true} {
			b := newNet()
			x := b.input(3, 40, 50)
			gate := b.node(f, x)
			in := []*ir.Value{x, gate}
			if turned {
				in = []*ir.Value{gate, x}
			}
			y := b.node(&op.Mul{}, in...)
			if n := b.run(t, []*ir.Value{y}); n != 1 {
				t.Errorf("%T: %d steps, want 1", f, n)
			}
			if n := b.run(t, []*ir.Value{y, gate}); n != 2 {
				t.Errorf("%T: %d steps where the gate is asked for, want 2", f, n)
			}
			b.run(t, []*ir.Value{b.node(&op.Add{}, y, x)})
		}
	}
}

// TestGroupsOnAllInstructionSets runs them with every set of kernels.
func TestGroupsOnAllInstructionSets(t *testing.T) {
	for _, grids := range []ranged{noGrids, integers} {
		var want *tensor.Tensor
		kerneltest.Run(t, []kerneltest.Variant{
			{Name: "generic", Level: cpu.Generic}, {Name: "avx2", Level: cpu.AVX2}, {Name: "avxvnni", Level: cpu.AVXVNNI},
			{Name: "avx512", Level: cpu.AVX512}, {Name: "vnni", Level: cpu.VNNI},
		}, func(t *testing.T) {
			b := newNet()
			y := b.attend(b.input(1, 33, 40), 1, 33, 2, 20, nil, grids)
			b.g.Outputs = []*ir.Value{y}
			p, err := Compile(b.g, Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Run(context.Background(), Tensors{b.g.Inputs[0].Name: b.floats(1, 1, 33, 40)})
			if err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = got[y.Name]
			} else if !tensor.Equal(got[y.Name], want) {
				t.Errorf("%v, want %v", got[y.Name], want)
			}
		})
	}
}
