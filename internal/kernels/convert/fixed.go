package convert

import "math"

// Fixed is a factor M·2^(Left−Right−31), M in [0, 2³¹), one of Left and Right
// being 0 and both below 32: TensorFlow Lite's arithmetic, in which a product
// rounds twice (gemmlowp's SaturatingRoundingDoublingHighMul and
// RoundingDivideByPOT).
type Fixed struct{ M, Left, Right int32 }

// Of returns x·f: x·2^Left, which wraps, then times M/2³¹ with halves up, then
// over 2^Right with halves away from zero.
func (f Fixed) Of(x int32) int32 {
	v := int32((int64(x<<f.Left)*int64(f.M) + 1<<30) >> 31)
	mask := int32(1)<<f.Right - 1
	y := v >> f.Right
	if v&mask > mask>>1+int32(uint32(v)>>31) {
		y++
	}
	return y
}

// fixedLanes is how many elements a variant takes at a time.
const fixedLanes = 8

// lanes appends what a variant needs of eight factors: M, Left, Right, the mask
// of what Right drops, and half of it.
func lanes(table []int32, f []Fixed) []int32 {
	for _, get := range []func(Fixed) int32{
		func(f Fixed) int32 { return f.M }, func(f Fixed) int32 { return f.Left }, func(f Fixed) int32 { return f.Right },
		func(f Fixed) int32 { return 1<<f.Right - 1 }, func(f Fixed) int32 { return (1<<f.Right - 1) >> 1 },
	} {
		for i := range fixedLanes {
			table = append(table, get(f[i%len(f)]))
		}
	}
	return table
}

// same appends eight times v.
func same(table []int32, v int32) []int32 {
	for range fixedLanes {
		table = append(table, v)
	}
	return table
}

// Rescaling takes the sums of products to integers, channel by channel.
type Rescaling struct {
	bias         []int32
	factors      []Fixed
	zero, lo, hi int32
	table        []int32
	reals        []float64 // instead of factors
}

// NewRescaling returns the Rescaling that adds a bias and multiplies with a
// factor, one of each a channel, and limits what a zero point is added to by lo
// and hi, which are ends of 8-bit integers.
func NewRescaling(bias []int32, factors []Fixed, zero, lo, hi int32) *Rescaling {
	r := &Rescaling{bias: bias, factors: factors, zero: zero, lo: lo, hi: hi}
	for c := 0; c+fixedLanes <= len(bias); c += fixedLanes {
		r.table = lanes(append(r.table, bias[c:c+fixedLanes]...), factors[c:c+fixedLanes])
	}
	return r
}

// NewRealRescaling is NewRescaling with factors of float64, whose products are
// rounded once, halves away from zero.
func NewRealRescaling(bias []int32, factors []float64, zero, lo, hi int32) *Rescaling {
	return &Rescaling{bias: bias, reals: factors, zero: zero, lo: lo, hi: hi}
}

// Rescale stores rows of the results of sums, one element a channel.
func Rescale[T int8 | uint8](r *Rescaling, dst []T, sums []int32) {
	RescaleRows(r, dst, len(r.bias), sums[:len(dst)])
}

// RescaleRows is Rescale for rows of results that begin stride apart.
func RescaleRows[T int8 | uint8](r *Rescaling, dst []T, stride int, sums []int32) {
	n := len(r.bias)
	if len(sums) < n {
		return
	}
	rows := len(sums) / n
	dst = dst[:(rows-1)*stride+n]
	done := rescaleRows(r, dst, stride, sums, rows)
	if done == n {
		return
	}
	lo, hi := r.lo-r.zero, r.hi-r.zero
	for i := range rows {
		to, x := dst[i*stride:][:n], sums[i*n:][:n]
		if r.reals != nil {
			for c := done; c < n; c++ {
				v := math.Round(max(float64(lo), min(float64(hi), float64(x[c]+r.bias[c])*r.reals[c])))
				to[c] = T(int32(v) + r.zero)
			}
			continue
		}
		for c := done; c < n; c++ {
			v := r.factors[c].Of(x[c] + r.bias[c])
			to[c] = T(min(max(v, lo), hi) + r.zero)
		}
	}
}

// FixedSum adds two 8-bit integers of any scales.
type FixedSum struct {
	a, b, y             Fixed
	za, zb, shift, sign int32
	zero, lo, hi        int32
	table               []int32
	numbers             []int64 // for vectors of 16, nil where they cannot
}

// NewFixedSum returns the sum y·(a·((p−za)·2^shift) + sign·b·((q−zb)·2^shift)) +
// zero, limited by lo and hi, which are ends of 8-bit integers.
func NewFixedSum(a, b, y Fixed, za, zb, shift, sign, zero, lo, hi int32) *FixedSum {
	s := &FixedSum{a: a, b: b, y: y, za: za, zb: zb, shift: shift, sign: sign, zero: zero, lo: lo, hi: hi}
	a.Left += shift
	b.Left += shift
	for _, side := range []struct {
		zero int32
		f    Fixed
	}{{za, a}, {zb, b}} {
		s.table = lanes(same(s.table, side.zero), []Fixed{side.f})
	}
	s.table = lanes(same(s.table, sign), []Fixed{y})
	const most = 21 // so that sums of two are below 2³⁰
	if s.a.short() && s.b.short() && y.short() && shift <= most {
		s.numbers = pairNumbers(za, zb, sign>>1, zero, lo, hi)
		for _, f := range []Fixed{a, b, y} {
			s.numbers = f.numbers(s.numbers)
		}
	}
	return s
}

// SumFixed stores the sums of a and b.
func SumFixed[T int8 | uint8](s *FixedSum, dst, a, b []T) {
	b, dst = b[:len(a)], dst[:len(a)]
	lo, hi := s.lo-s.zero, s.hi-s.zero
	for i := sumFixed(s, dst, a, b); i < len(a); i++ {
		x, y := s.a.Of((int32(a[i])-s.za)<<s.shift), s.b.Of((int32(b[i])-s.zb)<<s.shift)
		dst[i] = T(min(max(s.y.Of(x+s.sign*y), lo), hi) + s.zero)
	}
}

// FixedProduct multiplies two 8-bit integers of any scales.
type FixedProduct struct {
	y            Fixed
	za, zb       int32
	zero, lo, hi int32
	table        []int32
	numbers      []int64 // as those of sums
}

// NewFixedProduct returns the product y·((p−za)·(q−zb)) + zero, limited by lo and
// hi, which are ends of 8-bit integers.
func NewFixedProduct(y Fixed, za, zb, zero, lo, hi int32) *FixedProduct {
	p := &FixedProduct{y: y, za: za, zb: zb, zero: zero, lo: lo, hi: hi}
	p.table = lanes(same(same(nil, za), zb), []Fixed{y})
	if y.short() {
		p.numbers = y.numbers(pairNumbers(za, zb, 0, zero, lo, hi))
	}
	return p
}

// MultiplyFixed stores the products of a and b.
func MultiplyFixed[T int8 | uint8](p *FixedProduct, dst, a, b []T) {
	b, dst = b[:len(a)], dst[:len(a)]
	lo, hi := p.lo-p.zero, p.hi-p.zero
	for i := productFixed(p, dst, a, b); i < len(a); i++ {
		v := p.y.Of((int32(a[i]) - p.za) * (int32(b[i]) - p.zb))
		dst[i] = T(min(max(v, lo), hi) + p.zero)
	}
}
