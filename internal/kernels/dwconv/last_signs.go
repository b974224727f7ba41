package dwconv

import "slices"

// signs are the weights and parameters of kernels that multiply a signed byte
// x−128 with the magnitude |w| of a weight, as
//
//	w·(x−128) = |w|·a       for w ≥ 0
//	w·(x−127) = |w|·(−a−1)  for w < 0
//
// where −a−1 has the bits of a turned. What that lacks is in the parameters.
type signs struct {
	weights []uint8 // magnitudes, packed as PackBytes does, then the bits of inputs that are turned
	params  []int32 // those of ByteFinish
}

// newSigns returns them for the weights and parameters of f.
func newSigns(p *Last, f *ByteFinish, w []int8) signs {
	own, taps := p.ownBytes(), len(p.taps)
	s := signs{make([]uint8, 2*own), slices.Clone(f.params)}
	for c := range p.Channels {
		at, _ := p.param(c)
		for t, v := range w[c*taps : (c+1)*taps] {
			i := p.weight(c, t)
			if s.weights[i], s.weights[own+i] = uint8(v), f.flip^0x80; v < 0 {
				s.weights[i], s.weights[own+i] = uint8(-v), f.flip^0x7f
				s.params[at] += 127 * int32(v)
				continue
			}
			s.params[at] += 128 * int32(v)
		}
	}
	return s
}
