package target_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/target"
)

func TestEveryTargetLoads(t *testing.T) {
	for _, name := range target.Names() {
		tg, err := target.Load(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if tg.Name != name || tg.About == "" {
			t.Errorf("%s: name %q, about %q", name, tg.Name, tg.About)
		}
		for _, r := range tg.Operators {
			o, err := op.ByName(r.Op)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for attribute := range r.Where {
				if op.AttrOf(o, attribute) == nil {
					t.Errorf("%s: %s has no attribute %q", name, r.Op, attribute)
				}
			}
		}
	}
}

func TestAccepts(t *testing.T) {
	tg, err := target.Load("onnxruntime-cpu")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		op   string
		typ  dtype.Type
		want bool
	}{
		{"Conv", dtype.Uint8, true}, {"MaxPool", dtype.Int16, false}, {"Erf", dtype.Uint8, false}, {"Conv", dtype.Float32, false},
	} {
		if got := tg.Accepts(c.op, c.typ); got != c.want {
			t.Errorf("Accepts(%s, %v) = %v, want %v", c.op, c.typ, got, c.want)
		}
	}
}

// TestLiteConventions holds what the TensorFlow Lite specification says of all
// its targets.
func TestLiteConventions(t *testing.T) {
	for _, name := range []string{"litert", "tflite-micro", "cmsis-nn", "edgetpu", "ethos-u"} {
		tg, err := target.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if tg.Activation() != dtype.Int8 || tg.Activations.IsSymmetric(dtype.Int8) || !tg.Weights.IsSymmetric(dtype.Int8) || !tg.Whole {
			t.Errorf("%s: activations %+v, weights %+v", name, tg.Activations, tg.Weights)
		}
		wide := tg.Accepts("Conv", dtype.Int16)
		if wide == (name == "edgetpu") || wide && !tg.Activations.IsSymmetric(dtype.Int16) {
			t.Errorf("%s: convolutions of int16: %v", name, wide)
		}
		for _, o := range []string{"LogSoftmax", "LpNormalization", "HardSwish", "PRelu", "SpaceToDepth", "DepthToSpace", "ArgMax"} {
			if tg.Accepts(o, dtype.Int16) {
				t.Errorf("%s: %s has no kernel of int16", name, o)
			}
		}
		if r := tg.Rule("Softmax"); r == nil {
			t.Errorf("%s has no Softmax", name)
		} else if scale, zero, ok := r.Fixed.Of(dtype.Int8); !ok || scale != 1.0/256 || zero != -128 {
			t.Errorf("%s: Softmax gives %g, %d", name, scale, zero)
		} else if scale, zero, ok := r.Fixed.Of(dtype.Int16); ok && (scale != 1.0/32768 || zero != 0) {
			t.Errorf("%s: Softmax of int16 gives %g, %d", name, scale, zero)
		}
	}
}

func TestUnknownTargetNamesTheNearest(t *testing.T) {
	_, err := target.Load("onnxruntime-gpu")
	var e *diag.Error
	if !errors.As(err, &e) || !strings.Contains(strings.Join(e.Notes, "\n"), "onnxruntime-cpu") {
		t.Errorf("got %v, want an error whose notes name onnxruntime-cpu", err)
	}
}
