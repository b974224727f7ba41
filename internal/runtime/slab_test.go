package runtime

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

// TestSlabsHandOutMemoryOfTheirOwn: pieces of all sizes are aligned, zero, and
// nobody else's.
func TestSlabsHandOutMemoryOfTheirOwn(t *testing.T) {
	var s slabs
	r := rand.New(rand.NewPCG(8, 1))
	var all [][]byte
	for i := range 300 {
		n := 1 + r.IntN(100<<10)
		if i%60 == 59 {
			n = 5<<20 + r.IntN(1<<20)
		}
		b := s.take(n)
		if len(b) != n || cap(b) != n {
			t.Fatalf("asked for %d bytes, got %d with room for %d", n, len(b), cap(b))
		}
		if uintptr(unsafe.Pointer(&b[0]))%alignment != 0 {
			t.Fatalf("piece %d begins at %p", i, &b[0])
		}
		for _, at := range []int{0, n / 2, n - 1} {
			if b[at] != 0 {
				t.Fatalf("piece %d: byte %d is in use", i, at)
			}
		}
		for j := range b {
			b[j] = byte(i%255 + 1)
		}
		all = append(all, b)
	}
	for i, b := range all {
		for j, v := range b {
			if v != byte(i%255+1) {
				t.Fatalf("piece %d: byte %d has changed", i, j)
			}
		}
	}
	if s.total < 16<<20 {
		t.Errorf("%d bytes were asked for: too few for slabs", s.total)
	}
}
