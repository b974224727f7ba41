package quant_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/quant"
)

// TestBodiesStayFloat: what bodies compute on floats is listed with where it
// stands, also in bodies of bodies; what only moves elements is not.
func TestBodiesStayFloat(t *testing.T) {
	const text = `graph g
input x float32[1,2,4,4]
input c bool[]
const w float32[2,2,1,1] = [1 2 3 4]
h float32[1,2,4,4] = Conv(x, w) @first
y float32[1,2,4,4] = If(c; h) @choice
{
  graph a
  input h float32[1,2,4,4]
  const v float32[2,2,1,1] = [4 3 2 1]
  z float32[1,2,4,4] = Conv(h, v) @conv
  output z
}
{
  graph b
  input h float32[1,2,4,4]
  const n int64[] = [2]
  z float32[1,2,4,4] = Loop(n, _, h) @again
  {
    graph body
    input i int64[]
    input on bool[]
    input s float32[1,2,4,4]
    r float32[1,2,4,4] = Sin(s)
    t float32[1,2,4,4] = Transpose(r) {perm=i[0 1 3 2]}
    output on
    output t
  }
  output z
}
output y
`
	for _, c := range []struct {
		recipe quant.Recipe
		reason string
		wanted bool
	}{
		{quant.Recipe{}, "what bodies compute stays float", true},
		{quant.Recipe{Keep: []string{"choice"}}, `keep "choice"`, false},
	} {
		p, err := quant.Place(graph(t, text), &c.recipe)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range p.Skipped {
			if got = append(got, s.Node); strings.Contains(s.Node, "/") && (!strings.Contains(s.Reason, c.reason) || s.Wanted != c.wanted) {
				t.Errorf("%+v, want %q and %v", s, c.reason, c.wanted)
			}
		}
		want := []string{"choice", "choice/then_branch/conv", "choice/else_branch/again", "choice/else_branch/again/body/r"}
		if !slices.Equal(got, want) {
			t.Errorf("%q stay float, want %q", got, want)
		}
	}
}
