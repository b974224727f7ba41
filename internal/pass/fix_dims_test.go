package pass

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octavo-ml/octavo/internal/ir"
)

func TestFixDims(t *testing.T) {
	for name, c := range map[string]struct {
		sizes    map[string]int
		in, want string
	}{
		"expressions follow": {map[string]int{"batch": 4},
			"graph g\ninput x float32[batch,3]\ny float32[2*batch,3] = Concat(x, x) {axis=0}\noutput y\n",
			"graph g\ninput x float32[4,3]\ny float32[8,3] = Concat(x, x) {axis=0}\noutput y\n"},
		"other symbols stay": {map[string]int{"batch": 4},
			"graph g\ninput x float32[batch,seq]\ny float32[batch,seq] = Relu(x)\noutput y\n",
			"graph g\ninput x float32[4,seq]\ny float32[4,seq] = Relu(x)\noutput y\n"},
		"behind an unknown operator": {map[string]int{"batch": 4},
			"graph g\ninput x float32[batch]\ny float32[batch] = \"custom::Thing\"(x)\noutput y\n",
			"graph g\ninput x float32[4]\ny float32[4] = \"custom::Thing\"(x)\noutput y\n"},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := ir.Parse(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if err := FixDims(g, c.sizes); err != nil {
				t.Fatal(err)
			}
			want, err := ir.Parse(c.want)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(ir.Format(want), ir.Format(g)); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			if err := ir.Verify(g); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFixDimsNamesTheNodeThatCannotRun(t *testing.T) {
	g, err := ir.Parse("graph g\ninput a float32[n]\nconst b float32[3] = [1 2 3]\ny float32[3] = Add(a, b)\noutput y\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := FixDims(g, map[string]int{"n": 4}); err == nil || !strings.Contains(err.Error(), "Add") {
		t.Errorf("got %v", err)
	}
}
