package validate_test

import (
	"context"
	"errors"
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

// model computes x·w, so that w decides the answers.
func model(t *testing.T, name, w string) validate.Model {
	t.Helper()
	g, err := ir.Parse("graph m\ninput x float32[1,3]\nconst w float32[3,3] = [" + w + "]\ny float32[1,3] = MatMul(x, w)\noutput y\n")
	if err != nil {
		t.Fatal(err)
	}
	p, err := runtime.Compile(g, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return validate.Model{Name: name, Program: p}
}

const (
	identity = "1 0 0 0 1 0 0 0 1"
	swapped  = "0 1 0 1 0 0 0 0 1" // answers 0 and 1 change places
	near     = "1.01 0 0 0 1 0 0 0 1"
)

// oneHot yields n samples whose class is i mod 3; label gives what is said of
// it.
func oneHot(n int, label func(class int) int64) iter.Seq2[validate.Sample, error] {
	return func(yield func(validate.Sample, error) bool) {
		for i := range n {
			x := make([]float32, 3)
			x[i%3] = 1
			if !yield(validate.Sample{Inputs: runtime.Tensors{"x": tensor.FromSlice(x, 1, 3)}, Label: label(i % 3)}, nil) {
				return
			}
		}
	}
}

func same(class int) int64 { return int64(class) }

func TestClassification(t *testing.T) {
	v, err := validate.Run(context.Background(), []validate.Model{model(t, "float", identity), model(t, "near", near), model(t, "swapped", swapped)}, oneHot(90, same), validate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if v.Task != validate.Classification || v.Samples != 90 || v.Classes != 3 {
		t.Errorf("%+v", v)
	}
	f, n, s := v.Models[0], v.Models[1], v.Models[2]
	if f.Accuracy.Value != 1 || f.Drop != nil || f.SQNR != nil || f.Accuracy.Lo > 0.97 || f.Accuracy.Hi < 0.999 {
		t.Errorf("float: %+v", f)
	}
	if n.Accuracy.Value != 1 || n.Drop.Value != 0 || !n.Drop.Noise || *n.Agreement != 1 || math.Abs(*n.SQNR-44.77) > 0.01 {
		t.Errorf("near: %+v, SQNR %v", n.Drop, *n.SQNR)
	}
	third := 1.0 / 3
	if math.Abs(s.Accuracy.Value-third) > 1e-9 || math.Abs(s.Drop.Value-2*third) > 1e-9 || s.Drop.Noise || math.Abs(*s.Recall-third) > 1e-9 {
		t.Errorf("swapped: %+v", s.Drop)
	}
}

func TestWithoutLabels(t *testing.T) {
	v, err := validate.Run(context.Background(), []validate.Model{model(t, "float", identity), model(t, "swapped", swapped)}, oneHot(9, func(int) int64 { return -1 }), validate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m := v.Models[1]; v.Task != validate.None || m.Accuracy != nil || math.Abs(*m.Agreement-1.0/3) > 1e-9 {
		t.Errorf("task %s, %+v", v.Task, m)
	}
}

func TestWrongLabelsAreStopped(t *testing.T) {
	models := []validate.Model{model(t, "float", identity), model(t, "near", near)}
	shifted := func(class int) int64 { return int64(class+1) % 3 }
	_, err := validate.Run(context.Background(), models, oneHot(60, shifted), validate.Options{})
	if err == nil || !strings.Contains(err.Error(), "labels or preprocessing look wrong") || len(diag.Notes(err)) == 0 {
		t.Errorf("got %v", err)
	}
	if _, err := validate.Run(context.Background(), models, oneHot(60, shifted), validate.Options{Force: true}); err != nil {
		t.Errorf("forced: %v", err)
	}
	_, err = validate.Run(context.Background(), models, oneHot(3, func(int) int64 { return 7 }), validate.Options{})
	var e *diag.Error
	if !errors.As(err, &e) || e.Kind != diag.Usage || !strings.Contains(err.Error(), "label 7") {
		t.Errorf("a label out of range: %v", err)
	}
	for _, o := range []validate.Options{{Task: "guess"}, {Output: "z"}, {Task: validate.Classification}} {
		label := same
		if o.Task == validate.Classification {
			label = func(int) int64 { return -1 }
		}
		if _, err := validate.Run(context.Background(), models, oneHot(3, label), o); err == nil {
			t.Errorf("%+v: got nil, want an error", o)
		}
	}
}
