package validate_test

import (
	"context"
	"encoding/json"
	"iter"
	"math"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/validate"
)

// TestLabelsOffByOneAreNamed: every label is the one above the right one.
func TestLabelsOffByOneAreNamed(t *testing.T) {
	models := []validate.Model{model(t, "float", identity), model(t, "near", near)}
	up := func(n int) iter.Seq2[validate.Sample, error] {
		return func(yield func(validate.Sample, error) bool) {
			for s := range oneHot(3*n, same) {
				if s.Label < 2 { // classes 0 and 1 are called 1 and 2
					s.Label++
					if !yield(s, nil) {
						return
					}
				}
			}
		}
	}
	_, err := validate.Run(context.Background(), models, up(40), validate.Options{})
	if err == nil || !strings.Contains(strings.Join(diag.Notes(err), "\n"), "--label-offset -1 the float model would be right on 100.0 %") {
		t.Errorf("got %v, notes %q", err, diag.Notes(err))
	}
	v, err := validate.Run(context.Background(), models, up(40), validate.Options{Force: true})
	if err != nil || len(v.Warnings) != 1 || v.Warnings[0].ID != "OCT011" {
		t.Errorf("forced: %v, %v", v, err)
	}
}

// rows yields samples of x with what y says of each.
func rows(x, y [][]float32) iter.Seq2[validate.Sample, error] {
	return func(yield func(validate.Sample, error) bool) {
		for i := range x {
			if !yield(validate.Sample{Index: i, Inputs: runtime.Tensors{"x": tensor.FromSlice(x[i], 1, 3)}, Label: -1, Target: y[i]}, nil) {
				return
			}
		}
	}
}

func TestRegression(t *testing.T) {
	x := [][]float32{{1, 2, 3}, {0, 0, 0}, {3, 3, 3}}
	y := [][]float32{{1, 2, 3}, {0, 0, 3}, {3, 3, 3}}
	v, err := validate.Run(context.Background(), []validate.Model{model(t, "float", identity), model(t, "same", identity)}, rows(x, y), validate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := v.Models[0].Metrics
	if v.Task != validate.Regression || m[0].Name != "mae" || math.Abs(m[0].Value-1.0/3) > 1e-9 || math.Abs(m[1].Value-1) > 1e-9 {
		t.Errorf("%s, %+v", v.Task, m)
	}
	if d := v.Models[1].Drop; d.Value != 0 || !d.Noise || d.P != 1 || d.Lo != 0 || d.Hi != 0 {
		t.Errorf("%+v", d)
	}
}

// TestSeedsDecideIntervals: one seed gives one verdict to the byte but for the
// times.
func TestSeedsDecideIntervals(t *testing.T) {
	x := [][]float32{{1, 2, 3}, {0, 1, 0}, {3, 3, 3}, {2, 9, 1}, {5, 5, 6}}
	y := [][]float32{{1, 2, 4}, {0, 0, 3}, {3, 7, 3}, {2, 8, 1}, {5, 5, 9}}
	run := func(seed uint64) string {
		v, err := validate.Run(context.Background(), []validate.Model{model(t, "float", identity), model(t, "near", near)}, rows(x, y), validate.Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		for i := range v.Models {
			v.Models[i].P50, v.Models[i].P90 = 0, 0
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first, again, other := run(1), run(1), run(2)
	if first != again {
		t.Error("one seed gives two verdicts")
	}
	if strings.Replace(other, `"seed":2`, `"seed":1`, 1) == first {
		t.Error("the seed changes nothing")
	}
}

// TestNothingBreaksJSON: outputs that are infinite, and equal ones.
func TestNothingBreaksJSON(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, x := range [][]float32{{inf, 0, 0}, {0, 0, 0}, {float32(math.NaN()), 1, 2}} {
		for _, task := range []string{validate.Regression, validate.Reconstruction, validate.Embedding, validate.None} {
			v, err := validate.Run(context.Background(), []validate.Model{model(t, "float", identity), model(t, "same", identity)}, rows([][]float32{x, x}, [][]float32{{1, 1, 1}, {1, 1, 1}}), validate.Options{Task: task})
			if err != nil {
				t.Fatalf("%s: %v", task, err)
			}
			if _, err := json.Marshal(v); err != nil {
				t.Errorf("%s of %v: %v", task, x, err)
			}
		}
	}
}

func TestOtherInputsAreRefused(t *testing.T) {
	other := model(t, "other", identity)
	for _, c := range []string{"input z float32[1,3]", "input x float32[2,3]", "input x float32[3]"} {
		other.Program = program(t, c)
		_, err := validate.Run(context.Background(), []validate.Model{model(t, "float", identity), other}, oneHot(3, same), validate.Options{})
		if err == nil || !strings.Contains(err.Error(), "takes other inputs") {
			t.Errorf("%s: got %v", c, err)
		}
	}
}

// program passes its only input on as y.
func program(t *testing.T, input string) *runtime.Program {
	t.Helper()
	name := strings.Fields(input)[1]
	g, err := ir.Parse("graph m\n" + input + "\ny " + strings.Fields(input)[2] + " = Identity(" + name + ")\noutput y\n")
	if err != nil {
		t.Fatal(err)
	}
	p, err := runtime.Compile(g, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
