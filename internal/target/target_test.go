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
			if _, err := op.ByName(r.Op); err != nil {
				t.Errorf("%s: %v", name, err)
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

func TestUnknownTargetNamesTheNearest(t *testing.T) {
	_, err := target.Load("onnxruntime-gpu")
	var e *diag.Error
	if !errors.As(err, &e) || !strings.Contains(strings.Join(e.Notes, "\n"), "onnxruntime-cpu") {
		t.Errorf("got %v, want an error whose notes name onnxruntime-cpu", err)
	}
}
