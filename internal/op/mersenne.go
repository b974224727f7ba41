package op

import (
	"math"

	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
)

// mersenne is the MT19937 generator (Matsumoto and Nishimura, "Mersenne
// Twister", 1998) with the seeding of its authors' init_genrand and the doubles
// of genrand_res53. That is the stream of NumPy's RandomState, which ONNX's
// reference implementation draws from, so a given seed gives the same uniform
// numbers there and on every machine here.
type mersenne struct {
	state [624]uint32
	at    int
	// spare is the second number of a pair of normal ones.
	spare    float64
	hasSpare bool
}

func newMersenne(seed uint32) *mersenne {
	m := &mersenne{at: len(mersenne{}.state)}
	for i := range m.state {
		m.state[i] = seed
		seed = 1812433253*(seed^seed>>30) + uint32(i) + 1
	}
	return m
}

func (m *mersenne) next() uint32 {
	const n, middle = len(m.state), 397
	if m.at == n {
		for i := range n {
			y := m.state[i]&0x80000000 | m.state[(i+1)%n]&0x7fffffff
			m.state[i] = m.state[(i+middle)%n] ^ y>>1 ^ -(y&1)&0x9908b0df
		}
		m.at = 0
	}
	y := m.state[m.at]
	m.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// uniform returns a number in [0, 1) with 53 random bits.
func (m *mersenne) uniform() float64 {
	a, b := m.next()>>5, m.next()>>6
	return float64(uint64(a)<<26|uint64(b)) / (1 << 53)
}

// normal returns a number of the standard normal distribution by the polar
// method (Marsaglia and Bray, 1964), the second of a pair first, as NumPy does.
func (m *mersenne) normal() float64 {
	if m.hasSpare {
		m.hasSpare = false
		return m.spare
	}
	for {
		x := float64(2*m.uniform()) - 1
		y := float64(2*m.uniform()) - 1
		r := float64(x*x) + float64(y*y)
		if r >= 1 || r == 0 {
			continue
		}
		f := math.Sqrt(-2 * eltwise.Log64(r) / r)
		m.spare, m.hasSpare = f*x, true
		return f * y
	}
}
