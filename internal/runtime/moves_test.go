package runtime

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestSwapsAreThePermutation walks the matrices and runs of random permutations
// element by element.
func TestSwapsAreThePermutation(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		rank := 1 + r.IntN(5)
		shape, perm := make([]int, rank), r.Perm(rank)
		for i := range shape {
			shape[i] = 1 + r.IntN(4)
		}
		n, _ := tensor.Count(shape)
		src, got := make([]int32, n), make([]int32, n)
		for i := range src {
			src[i] = int32(i + 1)
		}
		want := tensor.Data[int32](tensor.Permute(tensor.FromSlice(src, shape...), perm))
		w := swapOf(shape, perm)
		for i := range w.matrices() {
			from, to := w.at(i)
			if w.run > 1 {
				copy(got[to:to+w.run], src[from:])
				continue
			}
			for row := range w.rows {
				for col := range w.cols {
					got[to+col*w.dstStep+row] = src[from+row*w.srcStep+col]
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v of %v: got %v, want %v", perm, shape, got, want)
		}
	}
}

// TestSpreadsAreTheBroadcast compares where repeated operands meet with the
// broadcast.
func TestSpreadsAreTheBroadcast(t *testing.T) {
	for _, c := range []struct {
		a, b []int
		want spread
		ok   bool
	}{
		{[]int{2, 3, 4}, []int{2, 3, 4}, spread{1, 1, 24, 1}, true},
		{[]int{2, 3, 4}, []int{4}, spread{1, 6, 4, 1}, true},
		{[]int{2, 3, 4, 5}, []int{2, 1, 1, 5}, spread{2, 12, 5, 1}, true},
		{[]int{2, 3, 4, 5}, []int{2, 3, 1, 1}, spread{1, 1, 6, 20}, true},
		{[]int{2, 3, 4}, []int{1, 3, 1}, spread{1, 2, 3, 4}, true},
		{[]int{2, 3}, nil, spread{1, 1, 1, 6}, true},
		{[]int{2, 1, 3}, []int{1, 1, 3}, spread{1, 2, 3, 1}, true},
		{[]int{2, 3, 4, 5}, []int{1, 3, 1, 5}, spread{3, 4, 5, 1}, false},
		{[]int{3, 1}, []int{1, 5}, spread{}, false},
		{[]int{3}, []int{2, 3}, spread{}, false},
	} {
		got, ok := spreadOf(c.a, c.b)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%v and %v: got %v, %v", c.a, c.b, got, ok)
		}
	}
}

// TestRunsAreCopiedWhole copies runs of every short length between other bytes.
func TestRunsAreCopiedWhole(t *testing.T) {
	const count, gap = 5, 3
	for n := 1; n <= 40; n++ {
		src, step := make([]byte, n*count), n+gap
		for i := range src {
			src[i] = byte(i + 1)
		}
		want := make([]byte, step*count)
		for i := 1; i < count; i++ { // the first run stays as it is
			copy(want[i*step:], src[i*n:(i+1)*n])
		}
		got := make([]byte, step*count)
		joinRuns(got, src, n, step, 1, count)
		if !slices.Equal(got, want) {
			t.Errorf("runs of %d bytes: got %v, want %v", n, got, want)
		}
		// And back, in another order.
		p, wide := piece{run: n}, make([]byte, 0, len(src))
		for i := range count {
			p.from = append(p.from, (count-1-i)*step)
			wide = append(wide, want[(count-1-i)*step:][:n]...)
		}
		back := make([]byte, len(src))
		p.copyTo(back, want, 0, count)
		if !slices.Equal(back, wide) {
			t.Errorf("pieces of %d bytes: got %v, want %v", n, back, wide)
		}
	}
}
