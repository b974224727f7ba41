package pass

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// coded is a Gemm with a weight of the given type, quantized in groups of block
// or, with 0, by column.
func coded(t *testing.T, typ dtype.Type, k, n, block int, transposed, symmetric bool) *ir.Graph {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(k), uint64(n)))
	w := make([]float32, k*n)
	for i := range w {
		w[i] = r.Float32() - 0.3
	}
	shape, along := []int{k, n}, 0
	if transposed {
		shape, along = []int{n, k}, 1
	}
	real := tensor.FromSlice(w, shape...)
	scheme := affine.Scheme{Type: typ, Symmetric: symmetric}
	p, err := affine.ChooseWeightParams(real, scheme, 1-along)
	if block > 0 {
		p = affine.Params{Type: typ, Axis: along, BlockSize: block}
		groups, _ := tensor.Count(p.ScaleShape(shape))
		p.Scale, p.ZeroPoint = make([]float32, groups), make([]int64, groups)
		err = p.EachBlock(real, func(i int, x []float32) {
			p.Scale[i], p.ZeroPoint[i] = affine.BlockParams(slices.Min(x), slices.Max(x), scheme)
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	q, err := affine.Quantize(real, p, affine.RoundHalfEven)
	if err != nil {
		t.Fatal(err)
	}
	dq := op.New[op.DequantizeLinear]()
	dq.Axis, dq.BlockSize = p.Axis, p.BlockSize
	params := p.ScaleShape(shape)
	x := &ir.Value{Name: "x", Fact: op.TensorFact(dtype.Float32, op.Known(3, k))}
	wd, y := &ir.Value{Name: "wd"}, &ir.Value{Name: "y"}
	gemm := op.New[op.Gemm]()
	gemm.TransB = transposed
	bias := make([]float32, n)
	for i := range bias {
		bias[i] = float32(i)
	}
	g := &ir.Graph{Name: "g", Inputs: []*ir.Value{x}, Outputs: []*ir.Value{y}, Nodes: []*ir.Node{
		{Name: "dq", Op: dq, In: []*ir.Value{ir.NewConst("w", q), ir.NewConst("s", tensor.FromSlice(p.Scale, params...)), ir.NewConst("z", tensor.FromInts(typ, p.ZeroPoint, params...))}, Out: []*ir.Value{wd}},
		{Name: "fc", Op: gemm, In: []*ir.Value{x, wd, ir.NewConst("b", tensor.FromSlice(bias, n))}, Out: []*ir.Value{y}}}}
	if err := ir.Infer(g); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestLowerBlocksKeepsWhatIsComputed(t *testing.T) {
	for _, typ := range []dtype.Type{dtype.Int8, dtype.Uint8, dtype.Int4, dtype.Uint4, dtype.Int2, dtype.Uint2} {
		for _, c := range []struct{ k, n, block int }{{32, 5, 16}, {48, 7, 32}, {40, 3, 0}, {100, 4, 64}, {17, 2, 16}, {320, 12, 32}, {96, 8, 16}} {
			for _, transposed := range []bool{false, true} {
				t.Run(fmt.Sprint(typ, c, transposed), func(t *testing.T) {
					g := coded(t, typ, c.k, c.n, c.block, transposed, typ.IsSigned())
					x := make([]float32, 3*c.k)
					for i := range x {
						x[i] = float32(i%7) - 2.5
					}
					in := op.Of(tensor.FromSlice(x, 3, c.k))
					want, err := ir.Eval(g, in)
					if err != nil {
						t.Fatal(err)
					}
					if err := LowerBlocks(g, []int{2, 4, 8}); err != nil {
						t.Fatal(err)
					}
					if err := ir.Verify(g); err != nil {
						t.Fatal(err)
					}
					if len(g.Nodes) != 1 || g.Nodes[0].Op.Name() != "MatMulNBits" {
						t.Fatalf("%v", names(g))
					}
					got, err := ir.Eval(g, in)
					if err != nil {
						t.Fatal(err)
					}
					if !tensor.Equal(got[0].Tensor, want[0].Tensor) {
						t.Errorf("%v\nwant %v", tensor.Data[float32](got[0].Tensor), tensor.Data[float32](want[0].Tensor))
					}
				})
			}
		}
	}
}

// TestTurnedCodesAreTakenAsTheyLie: a weight whose axes were exchanged gives the
// same bytes as one that lies so.
func TestTurnedCodesAreTakenAsTheyLie(t *testing.T) {
	for _, typ := range []dtype.Type{dtype.Int8, dtype.Uint4, dtype.Int4} {
		for _, transposed := range []bool{false, true} {
			g, turned := coded(t, typ, 64, 6, 16, transposed, typ.IsSigned()), coded(t, typ, 64, 6, 16, transposed, typ.IsSigned())
			dq := turned.Nodes[0]
			for i, v := range dq.In {
				c := tensor.Permuted(tensor.Permute(v.Const, []int{1, 0}), []int{1, 0})
				dq.In[i] = ir.NewConst(v.Name, c)
			}
			for _, g := range []*ir.Graph{g, turned} {
				if err := LowerBlocks(g, []int{4, 8}); err != nil || len(g.Nodes) != 1 {
					t.Fatalf("%v, %v", names(g), err)
				}
			}
			for i, v := range g.Nodes[0].In {
				if w := turned.Nodes[0].In[i]; (v == nil) != (w == nil) || v != nil && v.Const != nil && !tensor.Equal(v.Const, w.Const) {
					t.Errorf("%v, transposed %v: operand %d differs", typ, transposed, i)
				}
			}
		}
	}
}

func TestLowerBlocksLeavesWhatHasNoKernel(t *testing.T) {
	for name, g := range map[string]*ir.Graph{
		"groups of 8":              coded(t, dtype.Int4, 32, 4, 8, false, true),
		"columns of 300":           coded(t, dtype.Int4, 300, 4, 0, false, true),
		"16 bits":                  coded(t, dtype.Int16, 32, 4, 16, false, true),
		"groups that are no power": coded(t, dtype.Int4, 48, 4, 24, false, true),
	} {
		if err := LowerBlocks(g, []int{2, 4, 8}); err != nil {
			t.Fatal(err)
		}
		if len(g.Nodes) != 2 {
			t.Errorf("%s: %v", name, names(g))
		}
	}
}

// TestLowerBlocksLeavesProductsOfIntegers: 8 bits beside dequantized activations
// stay a pair; 4 bits, which no product of integers takes, do not.
func TestLowerBlocksLeavesProductsOfIntegers(t *testing.T) {
	for _, c := range []struct {
		typ  dtype.Type
		want string
	}{{dtype.Int8, "Gemm"}, {dtype.Int4, "MatMulNBits"}} {
		g := coded(t, c.typ, 32, 8, 0, false, true)
		x := g.Inputs[0]
		g.Inputs[0] = &ir.Value{Name: "q", Fact: op.TensorFact(dtype.Uint8, x.Shape.Clone())}
		g.Nodes = append([]*ir.Node{{Name: "x", Op: op.New[op.DequantizeLinear](), Out: []*ir.Value{x},
			In: []*ir.Value{g.Inputs[0], ir.NewConst("xs", tensor.Scalar(float32(0.5))), ir.NewConst("xz", tensor.Scalar(uint8(3)))}}}, g.Nodes...)
		if err := LowerBlocks(g, []int{4, 8}); err != nil {
			t.Fatal(err)
		}
		if last := g.Nodes[len(g.Nodes)-1].Op.Name(); last != c.want {
			t.Errorf("%v: the product is %s, want %s", c.typ, last, c.want)
		}
	}
}
