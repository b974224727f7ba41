package diag_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/octavo-ml/octavo/internal/diag"
)

func TestExitCode(t *testing.T) {
	gate := &diag.Error{Kind: diag.Gate, Msg: "accuracy fell by 0.02, allowed is 0.01"}
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"nil", nil, 0},
		{"plain", errors.New("x"), 1},
		{"failed", &diag.Error{Msg: "x"}, 1},
		{"usage", diag.Usagef("flag --mode: %q", "x"), 2},
		{"wrapped gate", fmt.Errorf("validate: %w", gate), 3},
		{"joined gate", errors.Join(errors.New("x"), gate), 3},
		{"interrupted", &diag.Error{Kind: diag.Interrupted, Msg: "stopped"}, 130},
		{"cancelled", &diag.Error{Msg: "calibrate", Err: context.Canceled}, 130},
		{"deadline", context.DeadlineExceeded, 1},
		{"format", &diag.FormatError{Where: "a.onnx", Msg: "truncated"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := diag.ExitCode(c.err); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&diag.Error{Msg: "a"}, "a"},
		{&diag.Error{Err: fs.ErrNotExist}, "file does not exist"},
		{&diag.Error{Msg: "a", Err: fs.ErrNotExist}, "a: file does not exist"},
		{&diag.FormatError{Where: "m.onnx", Msg: "offset 3: truncated"}, "m.onnx: offset 3: truncated"},
		{&diag.FormatError{Msg: "truncated"}, "truncated"},
		{&diag.UnsupportedError{Where: "m.onnx", What: "opset 29", Hint: "7 to 28 are"}, "m.onnx: opset 29 not supported; 7 to 28 are"},
		{&diag.UnsupportedError{What: "opset 29"}, "opset 29 not supported"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestDoorErrorsAreFoundThroughWraps(t *testing.T) {
	err := fmt.Errorf("load: %w", &diag.Error{Msg: "x", Err: &diag.FormatError{Where: "w", Msg: "m"}})
	var fe *diag.FormatError
	if !errors.As(err, &fe) || fe.Where != "w" {
		t.Errorf("FormatError not found in %v", err)
	}
	var ue *diag.UnsupportedError
	if errors.As(err, &ue) {
		t.Errorf("found an UnsupportedError in %v", err)
	}
}

func TestFprint(t *testing.T) {
	inner := diag.Usagef("unknown target %q", "tflit").Note("the nearest: %s", "tflite-micro")
	err := &diag.Error{Msg: "check", Err: fmt.Errorf("m.onnx: %w", inner), Notes: []string{"octavo targets lists them"}}
	var b bytes.Buffer
	if e := diag.Fprint(&b, err); e != nil {
		t.Fatal(e)
	}
	want := "error: check: m.onnx: unknown target \"tflit\"\n  note: octavo targets lists them\n  note: the nearest: tflite-micro\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
	joined := errors.Join(inner, &diag.Error{Msg: "b", Notes: []string{"second"}})
	if d := cmp.Diff([]string{"the nearest: tflite-micro", "second"}, diag.Notes(joined)); d != "" {
		t.Error(d)
	}
}

func TestKnownWarnings(t *testing.T) {
	known := diag.KnownWarnings()
	form := regexp.MustCompile(`^OCT[0-9]{3}$`)
	titles := map[string]bool{}
	for i, k := range known {
		if !form.MatchString(k.ID) {
			t.Errorf("id %q: want OCT and three digits", k.ID)
		}
		if i > 0 && known[i-1].ID >= k.ID {
			t.Errorf("%s does not come before %s", known[i-1].ID, k.ID)
		}
		if k.Title == "" || titles[k.Title] {
			t.Errorf("%s: title %q is empty or used twice", k.ID, k.Title)
		}
		titles[k.Title] = true
	}
	known[0].ID = "changed"
	if diag.KnownWarnings()[0].ID == "changed" {
		t.Error("the table can be changed from outside")
	}
}

func TestSink(t *testing.T) {
	var b bytes.Buffer
	s := diag.NewSink(&b)
	if err := s.Set(diag.Silence, "all"); err != nil {
		t.Fatal(err)
	}
	if err := s.Set(diag.Show, "OCT009", "oct010"); err != nil {
		t.Fatal(err)
	}
	if err := s.Set(diag.Fail, "OCT010", "OCT002"); err != nil {
		t.Fatal(err)
	}
	dropped := diag.Warning{ID: "OCT009", Msg: "3 samples dropped", Notes: []string{"batch is 8"}}
	few := diag.Warning{ID: "OCT002", Msg: "12 samples"}
	s.Warn(diag.Warning{ID: "OCT001", Msg: "silenced"}, dropped, dropped)
	if err := s.Err(); err != nil {
		t.Errorf("before a failing warning: %v", err)
	}
	s.Warn(few)
	if d := cmp.Diff([]diag.Warning{dropped, few}, s.Warnings()); d != "" {
		t.Error(d)
	}
	want := "warning OCT009: 3 samples dropped\n  note: batch is 8\nerror OCT002: 12 samples\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
	if err := s.Err(); err == nil || err.Error() != "a warning counts as an error: OCT002: 12 samples" || diag.ExitCode(err) != 1 {
		t.Errorf("got %v", err)
	}
	s.Warn(diag.Warning{ID: "OCT010", Msg: "input x"})
	if got := diag.Notes(s.Err()); len(got) != 2 {
		t.Errorf("notes of two failing warnings: %q", got)
	}
}

func TestSinkRefusesUnknownIDs(t *testing.T) {
	var s diag.Sink
	err := s.Set(diag.Silence, "OCT001", "OTC002")
	if diag.ExitCode(err) != 2 || !slices.ContainsFunc(diag.Notes(err), regexp.MustCompile("OCT002").MatchString) {
		t.Errorf("got %v, notes %q", err, diag.Notes(err))
	}
	s.Warn(diag.Warning{ID: "OCT001", Msg: "still shown"})
	if len(s.Warnings()) != 1 {
		t.Error("a refused Set silenced a warning")
	}
	defer func() {
		if recover() == nil {
			t.Error("a warning outside the table does not panic")
		}
	}()
	s.Warn(diag.Warning{ID: "OCT999"})
}
