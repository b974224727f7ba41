package runtime

import "github.com/octavo-ml/octavo/internal/tensor"

// slabs hands out memory for packed weights, from pieces that are larger where there
// is more of it: small weights lie together on huge pages.
type slabs struct {
	free  []byte
	total int // that was asked for
}

// take returns n bytes, as tensor.Aligned does.
func (s *slabs) take(n int) []byte {
	const few, most = 2 * tensor.HugePage, 32 << 20
	room := (n + alignment - 1) &^ (alignment - 1)
	s.total += room
	switch {
	case s.total <= few:
		return tensor.Aligned(n)
	case room >= few && room > len(s.free):
		return tensor.Large(n)
	case room > len(s.free):
		s.free = tensor.Large(min(s.total, most))
	}
	b := s.free[:n:n]
	s.free = s.free[room:]
	return b
}
