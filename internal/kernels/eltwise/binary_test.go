package eltwise_test

import (
	"math"
	"math/rand/v2"
	"testing"

	. "github.com/octavo-ml/octavo/internal/kernels/eltwise"
)

// at returns the element of a row-major operand of shape in that broadcasting
// to out puts at index, by NumPy's rule: align to the right, repeat length 1.
func at(in, out, index []int) int {
	off := 0
	for d, n := range in {
		i := index[len(out)-len(in)+d]
		if n == 1 {
			i = 0
		}
		off = off*n + i
	}
	return off
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func TestBroadcast(t *testing.T) {
	for _, c := range []struct{ out, a, b []int }{
		{[]int{}, nil, nil},
		{[]int{5}, []int{5}, nil},
		{[]int{5}, nil, []int{1}},
		{[]int{2, 3}, []int{2, 1}, []int{1, 3}},
		{[]int{2, 3, 4}, []int{2, 3, 4}, []int{3, 1}},
		{[]int{2, 3, 4}, []int{2, 3, 4}, []int{4}},
		{[]int{2, 3, 4}, []int{2, 1, 4}, []int{2, 3, 4}},
		{[]int{2, 3, 4, 5}, []int{3, 1, 5}, []int{2, 1, 4, 1}},
		{[]int{2, 1, 3, 1, 4}, []int{2, 1, 3, 1, 4}, []int{1, 1, 1, 4}},
		{[]int{2, 0, 3}, []int{2, 1, 3}, []int{0, 1}},
	} {
		a, b := make([]int32, size(c.a)), make([]int32, size(c.b))
		for i := range a {
			a[i] = int32(i + 1)
		}
		for i := range b {
			b[i] = int32(1000 * (i + 1))
		}
		sa, okA := BroadcastStrides(c.a, c.out)
		sb, okB := BroadcastStrides(c.b, c.out)
		if !okA || !okB {
			t.Fatalf("%v: shapes refused", c)
		}
		got := make([]int32, size(c.out))
		Broadcast(got, c.out, a, sa, b, sb, Sub[int32])
		index := make([]int, len(c.out))
		for i := range got {
			rest := i
			for d := len(c.out) - 1; d >= 0; d-- {
				index[d], rest = rest%c.out[d], rest/c.out[d]
			}
			if want := a[at(c.a, c.out, index)] - b[at(c.b, c.out, index)]; got[i] != want {
				t.Fatalf("%v: element %v is %d, want %d", c, index, got[i], want)
			}
		}
	}
	for _, c := range []struct{ in, out []int }{
		{[]int{2}, []int{3}}, {[]int{1, 3}, []int{3}}, {[]int{3, 2}, []int{3, 3}},
	} {
		if _, ok := BroadcastStrides(c.in, c.out); ok {
			t.Errorf("%v accepted as %v", c.in, c.out)
		}
	}
}

func TestBroadcastTransposed(t *testing.T) {
	a := []float32{1, 2, 3, 4, 5, 6} // 3x2, read as its transpose
	b := []float32{10, 20}
	got := make([]float32, 6)
	Broadcast(got, []int{2, 3}, a, []int{1, 2}, b, []int{1, 0}, Add[float32])
	for i, want := range []float32{11, 13, 15, 22, 24, 26} {
		if got[i] != want {
			t.Errorf("element %d is %v, want %v", i, got[i], want)
		}
	}
}

func TestWhere(t *testing.T) {
	got := make([]string, 4)
	Where(got, []int{2, 2}, []bool{true, false}, []int{1, 0}, []string{"a", "b"}, []int{0, 1}, []string{"z"}, []int{0, 0})
	for i, want := range []string{"a", "b", "z", "z"} {
		if got[i] != want {
			t.Errorf("element %d is %q, want %q", i, got[i], want)
		}
	}
}

// TestLoops compares every loop with its scalar meaning for each kind of
// operand: whole, repeated on either side, and both.
func TestLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	nan, negZero := float32(math.NaN()), float32(math.Copysign(0, -1))
	draw := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = []float32{nan, 0, negZero, 1, -2.5, float32(rng.NormFloat64())}[rng.IntN(6)]
		}
		return x
	}
	for _, f := range []struct {
		name string
		loop func(dst, a, b []float32)
		one  func(a, b float32) float32
	}{
		{"Add", Add[float32], func(a, b float32) float32 { return a + b }},
		{"Sub", Sub[float32], func(a, b float32) float32 { return a - b }},
		{"Mul", Mul[float32], func(a, b float32) float32 { return a * b }},
		{"Div", Div[float32], func(a, b float32) float32 { return a / b }},
		{"Min", Min[float32], func(a, b float32) float32 { return min(a, b) }},
		{"Max", Max[float32], func(a, b float32) float32 { return max(a, b) }},
		{"Zip", func(dst, a, b []float32) { Zip(dst, a, b, Pow) }, Pow},
	} {
		for n := range 20 {
			for _, c := range [][2]int{{n, n}, {n, 1}, {1, n}, {1, 1}} {
				a, b := draw(c[0]), draw(c[1])
				got := make([]float32, n+1)
				got[n] = 77
				f.loop(got[:n], a, b)
				for i := range n {
					want := f.one(a[min(i, c[0]-1)], b[min(i, c[1]-1)])
					if math.Float32bits(got[i]) != math.Float32bits(want) && (got[i] == got[i] || want == want) {
						t.Fatalf("%s, lengths %v: element %d is %v, want %v", f.name, c, i, got[i], want)
					}
				}
				if got[n] != 77 {
					t.Fatalf("%s wrote past its end", f.name)
				}
			}
		}
	}
}

func TestIntegerDivision(t *testing.T) {
	for _, c := range []struct{ x, y, quo, rem, mod int8 }{
		{7, 2, 3, 1, 1}, {-7, 2, -3, -1, 1}, {7, -2, -3, 1, -1}, {-7, -2, 3, -1, -1},
		{6, -3, -2, 0, 0}, {5, 0, 0, 0, 0}, {-128, -1, -128, 0, 0}, {-128, 127, -1, -1, 126},
	} {
		got := make([]int8, 1)
		DivInt(got, []int8{c.x}, []int8{c.y})
		if got[0] != c.quo || RemInt(c.x, c.y) != c.rem || ModInt(c.x, c.y) != c.mod {
			t.Errorf("%d, %d: quotient %d, remainder %d, modulus %d", c.x, c.y, got[0], RemInt(c.x, c.y), ModInt(c.x, c.y))
		}
	}
	if got := ModInt[uint8](250, 7); got != 5 {
		t.Errorf("ModInt(250, 7) = %d", got)
	}
}

func TestFloatRemainders(t *testing.T) {
	for _, c := range []struct{ x, y, fmod, mod float32 }{
		{5.5, 2, 1.5, 1.5}, {-5.5, 2, -1.5, 0.5}, {5.5, -2, 1.5, -0.5}, {-5.5, -2, -1.5, -1.5}, {4, 2, 0, 0},
	} {
		if got := Fmod(c.x, c.y); got != c.fmod {
			t.Errorf("Fmod(%v, %v) = %v, want %v", c.x, c.y, got, c.fmod)
		}
		if got := ModFloat(c.x, c.y); got != c.mod {
			t.Errorf("ModFloat(%v, %v) = %v, want %v", c.x, c.y, got, c.mod)
		}
	}
}

func TestPowInt(t *testing.T) {
	for _, c := range []struct{ x, y, want int32 }{
		{3, 4, 81}, {-3, 3, -27}, {0, 0, 1}, {2, 31, math.MinInt32}, {2, 32, 0}, {2, -1, 0}, {1, -5, 1}, {-1, -5, -1}, {-1, -4, 1}, {0, -1, 0},
	} {
		if got := PowInt(c.x, c.y); got != c.want {
			t.Errorf("PowInt(%d, %d) = %d, want %d", c.x, c.y, got, c.want)
		}
	}
	if got := PowInt[uint8](255, 2); got != 1 {
		t.Errorf("PowInt(255, 2) = %d", got)
	}
}

func TestMapInPlace(t *testing.T) {
	x := []float32{-1, 0, 4}
	Map(x, x, Sqrt)
	if x[0] == x[0] || x[1] != 0 || x[2] != 2 {
		t.Errorf("got %v", x)
	}
}
