package op_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/op"
	"pgregory.net/rapid"
)

func TestBroadcast(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []op.Shape
		want op.Shape
		err  string
	}{
		{"none", nil, op.Known(), ""},
		{"scalar", []op.Shape{op.Known(), op.Known(2, 3)}, op.Known(2, 3), ""},
		{"rows and columns", []op.Shape{op.Known(2, 1), op.Known(3)}, op.Known(2, 3), ""},
		{"three", []op.Shape{op.Known(2, 1, 1), op.Known(3, 1), op.Known(4)}, op.Known(2, 3, 4), ""},
		{"empty", []op.Shape{op.Known(0, 3), op.Known(1, 3)}, op.Known(0, 3), ""},
		{"one repeats to none", []op.Shape{op.Known(1), op.Known(0)}, op.Known(0), ""},
		{"different", []op.Shape{op.Known(2), op.Known(3)}, nil, "2 against 3"},
		{"none against two", []op.Shape{op.Known(0), op.Known(2)}, nil, "0 against 2"},
		{"unknown rank", []op.Shape{op.Known(2), nil}, nil, ""},
		{"a symbol and 1", []op.Shape{dimsOf("n", "3"), op.Known(1, 3)}, dimsOf("n", "3"), ""},
		{"a symbol and itself", []op.Shape{dimsOf("n"), dimsOf("n")}, dimsOf("n"), ""},
		{"a symbol and a number", []op.Shape{dimsOf("n"), op.Known(3)}, op.Known(3), ""},
		{"two symbols", []op.Shape{dimsOf("n"), dimsOf("m")}, dimsOf("?"), ""},
		{"two symbols and a number", []op.Shape{dimsOf("n"), dimsOf("m"), op.Known(4)}, op.Known(4), ""},
		{"unknown and 1", []op.Shape{dimsOf("?"), op.Known(1)}, dimsOf("?"), ""},
		{"unknown twice", []op.Shape{dimsOf("?"), dimsOf("?")}, dimsOf("?"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := op.Broadcast(c.in...)
			checkShape(t, got, err, c.want, c.err)
		})
	}
}

func checkShape(t *testing.T, got op.Shape, err error, want op.Shape, wantErr string) {
	t.Helper()
	if wantErr != "" {
		if err == nil || !strings.Contains(err.Error(), wantErr) {
			t.Errorf("got %v, %v, want an error with %q", got, err, wantErr)
		}
		return
	}
	if err != nil || !slices.Equal(got, want) || (got == nil) != (want == nil) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestMerge(t *testing.T) {
	for _, c := range []struct {
		name       string
		a, b, want op.Shape
		err        string
	}{
		{"nothing known", nil, nil, nil, ""},
		{"one rank", nil, dimsOf("n", "2"), dimsOf("n", "2"), ""},
		{"ranks differ", op.Known(1), op.Known(1, 1), nil, "contradicts"},
		{"numbers differ", op.Known(2, 3), op.Known(2, 4), nil, "contradicts"},
		{"numbers win", dimsOf("n", "3", "?"), dimsOf("2", "m", "4"), op.Known(2, 3, 4), ""},
		{"symbols win over unknown", dimsOf("?", "n"), dimsOf("m", "?"), dimsOf("m", "n"), ""},
		{"the first symbol stays", dimsOf("n"), dimsOf("m"), dimsOf("n"), ""},
		{"scalars", op.Known(), op.Known(), op.Known(), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := op.Merge(c.a, c.b)
			checkShape(t, got, err, c.want, c.err)
		})
	}
	a := dimsOf("n")
	if m, _ := op.Merge(a, op.Known(3)); !slices.Equal(a, dimsOf("n")) || !slices.Equal(m, op.Known(3)) {
		t.Error("Merge writes to its operand")
	}
}

// TestBroadcastOfLess: what is known of a broadcast shape, where less is known
// of the operands, holds for the shape itself.
func TestBroadcastOfLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := env{}
		size := rapid.SampledFrom([]int{0, 1, 1, 2, 3})
		full := rapid.SliceOfN(size, 0, 4).Draw(t, "shape")
		var exact, vague []op.Shape
		for range rapid.IntRange(1, 3).Draw(t, "operands") {
			dims := slices.Clone(full[rapid.IntRange(0, len(full)).Draw(t, "skip"):])
			v := op.Shape{}
			for i := range dims {
				if rapid.IntRange(0, 2).Draw(t, "repeat") == 0 {
					dims[i] = 1
				}
				switch rapid.IntRange(0, 3).Draw(t, "known") {
				case 0:
					v = append(v, op.Unknown)
				case 1:
					name := rapid.SampledFrom([]string{"n", "m", "k"}).Draw(t, "name")
					if n, used := e[name]; used && n != dims[i] {
						name += string(rune('0' + dims[i]))
					}
					e[name] = dims[i]
					v = append(v, op.Sym(name))
				default:
					v = append(v, op.Size(dims[i]))
				}
			}
			exact, vague = append(exact, op.Known(dims...)), append(vague, v)
		}
		want, err := op.Broadcast(exact...)
		if err != nil {
			t.Fatalf("%v: %v", exact, err)
		}
		got, err := op.Broadcast(vague...)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%v of %v: got %v, %v, want %v", vague, exact, got, err, want)
		}
		for i, d := range got {
			if n, _ := want[i].Int(); !d.IsUnknown() && e.value(t, d.String()) != n {
				t.Fatalf("%v of %v: got %v, want %v", vague, exact, got, want)
			}
		}
	})
}

func TestShapes(t *testing.T) {
	if got := op.Shape(nil).String() + op.Known().String() + dimsOf("2", "n", "?").String(); got != "[...][][2,n,?]" {
		t.Errorf("got %s", got)
	}
	if _, ok := op.Shape(nil).Ints(); ok {
		t.Error("an unknown rank has no dimensions")
	}
	if d, ok := op.Known().Ints(); !ok || len(d) != 0 {
		t.Error("a scalar has no dimensions, and they are known")
	}
	if _, ok := dimsOf("2", "n").Ints(); ok {
		t.Error("a symbol is no number")
	}
	for want, s := range map[string]op.Shape{"?": nil, "1": op.Known(), "6": op.Known(2, 3), "2*n": dimsOf("n", "2"), "0": dimsOf("?", "0")} {
		if got := s.Count().String(); got != want {
			t.Errorf("%v holds %s elements, want %s", s, got, want)
		}
	}
	if op.Shape(nil).Clone() != nil || op.Known().Clone() == nil {
		t.Error("Clone must tell an unknown rank from a scalar")
	}
	if got := op.OfRank(2); len(got) != 2 || !got[0].IsUnknown() || !got[1].IsUnknown() {
		t.Errorf("got %v", got)
	}
}
