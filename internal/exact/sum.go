package exact

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
)

const (
	// digits of 32 bits hold every bit of a float64, from 2⁻¹⁰⁷⁴ up, and 78
	// bits above the greatest; the last one keeps the sign.
	digits = 68
	// scale is the weight of the lowest bit.
	scale = -1074
	// slack is how many numbers may be added before carries must move on: a
	// digit grows by less than 2³² with each and has 63 bits.
	slack = 1 << 30
)

// Sum is an exact sum of floats. The zero value is an empty sum, which is +0.
// Sums of the same numbers are equal, value for value and byte for byte as
// marshalled, in whatever order and from whatever parts they were made.
//
// It is a fixed-point number as wide as float64 ranges (Kulisch, "Computer
// Arithmetic and Validity", 2013, chapter 8). A Sum may be copied; it is not
// safe for use by several goroutines at once.
type Sum struct {
	d       [digits]int64 // digit i counts 2^(32i+scale)
	pending int           // additions since carries moved
	special uint8         // which of NaN, +Inf and −Inf were added
}

const (
	hasNaN = 1 << iota
	hasPosInf
	hasNegInf
	negative // in marshalled sums
)

// Add adds x.
func (s *Sum) Add(x float64) {
	b := math.Float64bits(x)
	m, e := b&(1<<52-1), int(b>>52&0x7ff)
	switch {
	case e == 0x7ff && m != 0:
		s.special |= hasNaN
		return
	case e == 0x7ff && x > 0:
		s.special |= hasPosInf
		return
	case e == 0x7ff:
		s.special |= hasNegInf
		return
	case e > 0:
		m |= 1 << 52
		e--
	}
	// x is ±m·2^(e+scale): up to 84 bits when moved to a digit's boundary.
	hi, lo := bits.Mul64(m, 1<<(e&31))
	d := (*[3]int64)(s.d[e>>5:])
	if x > 0 {
		d[0] += int64(uint32(lo))
		d[1] += int64(lo >> 32)
		d[2] += int64(hi)
	} else {
		d[0] -= int64(uint32(lo))
		d[1] -= int64(lo >> 32)
		d[2] -= int64(hi)
	}
	if s.pending++; s.pending == slack {
		s.carry()
	}
}

// Merge adds all that o holds.
func (s *Sum) Merge(o *Sum) {
	s.carry()
	c := *o
	c.carry()
	for i, v := range c.d {
		s.d[i] += v
	}
	s.special |= c.special
	s.carry()
}

// carry brings every digit but the last into [0, 2³²), which is the only such
// form of a number.
func (s *Sum) carry() {
	var c int64
	for i := range digits - 1 {
		v := s.d[i] + c
		c = v >> 32
		s.d[i] = v & (1<<32 - 1)
	}
	s.d[digits-1] += c
	s.pending = 0
}

// magnitude returns the absolute value, every digit below 2³² but the last,
// and whether the sum is negative.
func (s *Sum) magnitude() (m [digits]int64, neg bool) {
	c := *s
	c.carry()
	if neg = c.d[digits-1] < 0; neg {
		for i := range c.d {
			c.d[i] = -c.d[i]
		}
		c.carry()
	}
	return c.d, neg
}

// Float64 returns the sum rounded once, half to even; ±Inf where it is beyond
// the range. A NaN, or infinities of both signs, give NaN; an exact zero is +0.
func (s *Sum) Float64() float64 {
	switch s.special {
	case 0:
	case hasPosInf:
		return math.Inf(1)
	case hasNegInf:
		return math.Inf(-1)
	default:
		return math.NaN()
	}
	m, neg := s.magnitude()
	var b [4*digits + 4]byte
	for i, v := range m {
		binary.BigEndian.PutUint64(b[4*(digits-1-i):], uint64(v)|uint64(binary.BigEndian.Uint32(b[4*(digits-i):])))
	}
	f := new(big.Float).SetInt(new(big.Int).SetBytes(b[:]))
	v, _ := f.SetMantExp(f, scale).Float64()
	if neg {
		return -v
	}
	return v
}

// version is the first byte of a marshalled sum.
const version = 1

// MarshalBinary encodes the sum: the version, the flags (special numbers, and
// the sign), how many zero digits the magnitude begins with, how many digits
// follow, and those, 4 bytes each, little-endian. Equal sums give equal bytes.
func (s *Sum) MarshalBinary() ([]byte, error) {
	m, neg := s.magnitude()
	if m[digits-1]>>31 != 0 {
		return nil, errors.New("exact: sum too large to store")
	}
	lo, hi := 0, digits
	for hi > 0 && m[hi-1] == 0 {
		hi--
	}
	for lo < hi && m[lo] == 0 {
		lo++
	}
	if hi == 0 {
		lo = 0
	}
	flags := s.special
	if neg {
		flags |= negative
	}
	out := append(make([]byte, 0, 4+4*(hi-lo)), version, flags, byte(lo), byte(hi-lo))
	for _, v := range m[lo:hi] {
		out = binary.LittleEndian.AppendUint32(out, uint32(v))
	}
	return out, nil
}

// UnmarshalBinary replaces the sum by one that MarshalBinary encoded, and
// refuses all other bytes.
func (s *Sum) UnmarshalBinary(data []byte) error {
	if len(data) < 4 {
		return fmt.Errorf("exact: sum: %d bytes, want at least 4", len(data))
	}
	if data[0] != version {
		return fmt.Errorf("exact: sum: version %d, want %d", data[0], version)
	}
	flags, lo, n, body := data[1], int(data[2]), int(data[3]), data[4:]
	switch {
	case flags >= 2*negative:
		return fmt.Errorf("exact: sum: unknown flags %#x", flags)
	case len(body) != 4*n:
		return fmt.Errorf("exact: sum: %d bytes of digits, want %d", len(body), 4*n)
	case lo+n > digits:
		return fmt.Errorf("exact: sum: digits end at %d, want at most %d", lo+n, digits)
	}
	r := Sum{special: flags &^ negative}
	for i := range n {
		r.d[lo+i] = int64(binary.LittleEndian.Uint32(body[4*i:]))
	}
	switch {
	case n == 0 && (lo != 0 || flags&negative != 0), n > 0 && (r.d[lo] == 0 || r.d[lo+n-1] == 0):
		return errors.New("exact: sum: not in shortest form")
	case r.d[digits-1]>>31 != 0:
		return errors.New("exact: sum: too large")
	}
	if flags&negative != 0 {
		for i := range r.d {
			r.d[i] = -r.d[i]
		}
		r.carry()
	}
	*s = r
	return nil
}
