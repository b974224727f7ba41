package pass

import (
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// products holds a Gemm with a transposed weight, a MatMul that shares its
// input, a Conv, and two tables.
const products = `graph products
input x float32[n,4]
input p float32[n,1,3,3]
input i int64[m]
const w int8[3,4] = [1 -2 3 4 -5 6 7 -8 9 10 -11 12]
const ws float32[3] = [0.5 0.25 2]
const wz int8[3] = [0 0 0]
const u uint8[4,2] = [1 2 3 4 5 6 7 8]
const us float32[] = [0.125]
const uz uint8[] = [3]
const b float32[3] = [1 -1 0.5]
const f int8[2,1,2,2] = [1 2 3 4 -5 -6 -7 -8]
const fs float32[2] = [0.5 0.125]
const fb float32[2] = [3 -4]
const t int8[5,2] = [1 2 3 4 5 6 7 8 9 10]
const ts float32[5] = [1 2 0.5 4 0.25]
q uint8[n,4], s float32[], z uint8[] = DynamicQuantize(x)
xd float32[n,4] = DequantizeLinear(q, s, z)
wd float32[3,4] = DequantizeLinear(w, ws, wz) {axis=0}
ud float32[4,2] = DequantizeLinear(u, us, uz)
y float32[n,3] = Gemm(xd, wd, b) {transB=1}
v float32[n,2] = MatMul(xd, ud)
q2 uint8[n,1,3,3], s2 float32[], z2 uint8[] = DynamicQuantize(p)
pd float32[n,1,3,3] = DequantizeLinear(q2, s2, z2)
fd float32[2,1,2,2] = DequantizeLinear(f, fs) {axis=0}
c float32[n,2,2,2] = Conv(pd, fd, fb)
td float32[5,2] = DequantizeLinear(t, ts) {axis=0}
r float32[m,2] = Gather(td, i)
ud2 float32[4,2] = DequantizeLinear(u, us, uz)
r2 float32[m,2] = Gather(ud2, i)
output y
output v
output c
output r
output r2
`

func parsed(t *testing.T, text string) *ir.Graph {
	t.Helper()
	g, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Infer(g); err != nil {
		t.Fatal(err)
	}
	return g
}

func productInputs() []op.Datum {
	return op.Of(
		tensor.FromSlice([]float32{0, 1, -2, 3.5, 0.25, -1, 7, 2}, 2, 4),
		tensor.FromSlice([]float32{1, 2, 3, 4, 5, 6, 7, 8, -9, 0, 1, 0, 1, 0, 1, 0, 1, 0}, 2, 1, 3, 3),
		tensor.FromSlice([]int64{2, 0, 3}, 3))
}

func names(g *ir.Graph) []string {
	var out []string
	for _, n := range g.Nodes {
		out = append(out, n.Op.Name())
	}
	return out
}

func evaluate(t *testing.T, g *ir.Graph) []op.Datum {
	t.Helper()
	out, err := ir.Eval(g, productInputs())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// near32 reports whether two tensors are equal up to the rounding of sums.
func near32(a, b *tensor.Tensor) bool {
	x, y := tensor.Data[float32](a), tensor.Data[float32](b)
	for i := range x {
		if d := x[i] - y[i]; d > 1e-4 || d < -1e-4 {
			return false
		}
	}
	return slices.Equal(a.Shape(), b.Shape())
}

func TestLowerDynamicAndExpandAreInverse(t *testing.T) {
	g := parsed(t, products)
	want := evaluate(t, g)
	if err := LowerDynamic(g); err != nil {
		t.Fatal(err)
	}
	if err := ir.Verify(g); err != nil {
		t.Fatal(err)
	}
	got := names(g)
	for op, n := range map[string]int{"DynamicQuantizeLinear": 2, "MatMulInteger": 2, "ConvInteger": 1, "MatMul": 0, "Gemm": 0, "Conv": 0, "Gather": 3, "DequantizeLinear": 1, "DynamicQuantize": 0} {
		if have := len(slices.DeleteFunc(slices.Clone(got), func(s string) bool { return s != op })); have != n {
			t.Errorf("%d of %s, want %d: %v", have, op, n, got)
		}
	}
	lowered := evaluate(t, g)
	for i, w := range want {
		if !near32(lowered[i].Tensor, w.Tensor) {
			t.Errorf("output %d: %v, want %v", i, lowered[i].Tensor, w.Tensor)
		}
	}
	// Rows of tables are the same to the bit.
	for i := 3; i < 5; i++ {
		if !tensor.Equal(lowered[i].Tensor, want[i].Tensor) {
			t.Errorf("output %d: %v, want %v", i, lowered[i].Tensor, want[i].Tensor)
		}
	}
	if err := ExpandDynamic(g); err != nil {
		t.Fatal(err)
	}
	if err := ir.Infer(g); err != nil {
		t.Fatal(err)
	}
	if err := ir.Verify(g); err != nil {
		t.Fatal(err)
	}
	back := names(g)
	for _, op := range []string{"MatMulInteger", "ConvInteger", "DynamicQuantizeLinear"} {
		if slices.Contains(back, op) {
			t.Errorf("%s is left: %v", op, back)
		}
	}
	if !slices.Contains(back, "MatMul") || !slices.Contains(back, "Conv") {
		t.Errorf("products are missing: %v", back)
	}
	for i, w := range evaluate(t, g) {
		if !near32(w.Tensor, want[i].Tensor) {
			t.Errorf("output %d after expansion: %v, want %v", i, w.Tensor, want[i].Tensor)
		}
	}
	// Once more gives the integers again, to the bit.
	if err := LowerDynamic(g); err != nil {
		t.Fatal(err)
	}
	for i, w := range evaluate(t, g) {
		if !tensor.Equal(w.Tensor, lowered[i].Tensor) {
			t.Errorf("output %d, lowered again: %v, want %v", i, w.Tensor, lowered[i].Tensor)
		}
	}
}

func TestFuseDynamicEqualsTheFormOfONNX(t *testing.T) {
	onnx, own := parsed(t, products), parsed(t, products)
	if err := LowerDynamic(onnx); err != nil {
		t.Fatal(err)
	}
	if err := FuseDynamic(own, map[string]bool{"pd": true}); err != nil {
		t.Fatal(err)
	}
	if got := names(own); !slices.Contains(got, "MatMulIntegerToFloat") || slices.Contains(got, "Gemm") || !slices.Contains(got, "Conv") {
		t.Errorf("%v", got)
	}
	want := evaluate(t, onnx)
	for i, w := range evaluate(t, own) {
		if i != 2 && !tensor.Equal(w.Tensor, want[i].Tensor) {
			t.Errorf("output %d: %v, want %v", i, w.Tensor, want[i].Tensor)
		}
	}
	watched := parsed(t, products)
	if err := FuseDynamic(watched, map[string]bool{"xd": true}); err != nil {
		t.Fatal(err)
	}
	if got := names(watched); slices.Contains(got, "MatMulIntegerToFloat") {
		t.Errorf("a watched value lies inside a product: %v", got)
	}
}

func TestExpandDynamicLeavesOthersAlone(t *testing.T) {
	for name, text := range map[string]string{
		"sums are read": `graph a
input x float32[2,2]
const w int8[2,2] = [1 2 3 4]
const ws float32[] = [0.5]
q uint8[2,2], s float32[], z uint8[] = DynamicQuantizeLinear(x)
a int32[2,2] = MatMulInteger(q, w, z)
f float32[2,2] = Cast(a) {to="float32"}
u float32[] = Mul(s, ws)
y float32[2,2] = Mul(f, u)
output y
output a
`,
		"the scale is another's": `graph b
input x float32[2,2]
input o float32[2,2]
const w int8[2,2] = [1 2 3 4]
const ws float32[] = [0.5]
q uint8[2,2], s float32[], z uint8[] = DynamicQuantizeLinear(x)
q2 uint8[2,2], s2 float32[], z2 uint8[] = DynamicQuantizeLinear(o)
a int32[2,2] = MatMulInteger(q, w, z)
f float32[2,2] = Cast(a) {to="float32"}
u float32[] = Mul(s2, ws)
y float32[2,2] = Mul(f, u)
output y
output q2
`,
	} {
		g := parsed(t, text)
		if err := ExpandDynamic(g); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(names(g), "MatMulInteger") {
			t.Errorf("%s: %v", name, names(g))
		}
	}
}
