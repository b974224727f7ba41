package runtime_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// halfGraph is operators between constants of a type, with an input that has 16
// bits and one that has not, as one of mode bfloat16 or float16 has, or the same
// in float32 with the same numbers.
func halfGraph(t *testing.T, typ dtype.Type, float bool, d drawer) *ir.Graph {
	name := strings.ToLower(typ.String())
	text := `graph g
input x float32[4,6]
input h TYPE[6,5]
OPERANDS
a TYPE[4,6] = Cast(x) {to="TYPE"}
b TYPE[4,5] = MatMul(a, h)
c TYPE[4,5] = Add(b, bias)
e TYPE[5,4] = Transpose(c) {perm=i[1 0]}
f TYPE[5,3] = MatMul(e, w)
y float32[5,3] = Cast(f) {to="float32"}
z TYPE[5,3] = Relu(f)
output y
output z
`
	if float {
		text = `graph g
input x float32[4,6]
input h TYPE[6,5]
OPERANDS
k float32[6,5] = Cast(h) {to="float32"}
b float32[4,5] = MatMul(x, k)
c float32[4,5] = Add(b, bias)
e float32[5,4] = Transpose(c) {perm=i[1 0]}
y float32[5,3] = MatMul(e, w)
r float32[5,3] = Relu(y)
z TYPE[5,3] = Cast(r) {to="TYPE"}
output y
output z
`
	}
	of := name
	if float {
		of = "float32"
	}
	text = strings.NewReplacer("OPERANDS", fmt.Sprintf("input bias %[1]s[5]\ninput w %[1]s[4,3]", of), "TYPE", name).Replace(text)
	g := parsed(t, text)
	for _, v := range g.Inputs[2:] { // they are constants
		shape, _ := v.Shape.Ints()
		x, err := op.Convert(d.tensor(shape...), typ)
		if err == nil {
			x, err = op.Convert(x, v.Type)
		}
		if err != nil {
			t.Fatal(err)
		}
		v.Fact = op.ConstFact(x)
	}
	g.Inputs = g.Inputs[:2]
	return g
}

// TestBFloat16LeavesOutTheFilesRoundings: in bfloat16 a model that stores 16 bits
// between its operators runs as the same numbers in float32 do, without a cast
// but where its inputs and outputs have 16 bits; in float32 it keeps all of them,
// and so it does where a value is watched.
func TestBFloat16LeavesOutTheFilesRoundings(t *testing.T) {
	for _, typ := range []dtype.Type{dtype.BFloat16, dtype.Float16} {
		t.Run(typ.String(), func(t *testing.T) {
			draw := func() drawer { return drawer{r: rand.New(rand.NewPCG(4, 2))} }
			g, want := halfGraph(t, typ, false, draw()), halfGraph(t, typ, true, draw())
			in := drawer{r: rand.New(rand.NewPCG(1, 1))}
			h, err := op.Convert(in.tensor(6, 5), typ)
			if err != nil {
				t.Fatal(err)
			}
			given := runtime.Tensors{"x": in.tensor(4, 6), "h": h}
			run := func(g *ir.Graph, o runtime.Options) (runtime.Tensors, int) {
				o.Threads = 1
				p, err := runtime.Compile(g, o)
				if err != nil {
					t.Fatal(err)
				}
				out, err := p.Run(context.Background(), given)
				if err != nil {
					t.Fatal(err)
				}
				casts := slices.DeleteFunc(p.Steps(), func(s string) bool { return !strings.Contains(s, "Cast") })
				return out, len(casts)
			}
			got, casts := run(g, runtime.Options{BFloat16: true})
			expected, least := run(want, runtime.Options{BFloat16: true})
			for name, x := range expected {
				if !tensor.Equal(got[name], x) {
					t.Errorf("%s: %v, want %v", name, got[name].Bytes(), x.Bytes())
				}
			}
			const views = 1 // an output that is another value
			if casts != least+views || least == 0 {
				t.Errorf("%d casts, and of float32 %d", casts, least)
			}
			if _, all := run(g, runtime.Options{}); all <= casts {
				t.Errorf("in float32 %d casts, in bfloat16 %d", all, casts)
			}
			if _, kept := run(g, runtime.Options{BFloat16: true, Keep: []string{"c"}}); kept <= casts {
				t.Errorf("with a value that is watched %d casts, else %d", kept, casts)
			}
		})
	}
}
