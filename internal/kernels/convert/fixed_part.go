package convert

// Bias returns what is added to the sums of each channel.
func (r *Rescaling) Bias() []int32 { return r.bias }

// Grid returns the grid of the results.
func (r *Rescaling) Grid() Grid { return Grid{ZeroPoint: r.zero, QMin: r.lo, QMax: r.hi} }

// Unbiased returns r for sums that hold the bias already.
func (r *Rescaling) Unbiased() *Rescaling {
	return r.with(make([]int32, len(r.bias)), r.factors, r.reals)
}

// Part returns r for channels lo to hi alone.
func (r *Rescaling) Part(lo, hi int) *Rescaling {
	if r.reals != nil {
		return r.with(r.bias[lo:hi], nil, r.reals[lo:hi])
	}
	return r.with(r.bias[lo:hi], r.factors[lo:hi], nil)
}

// Repeat returns r for n times the channels.
func (r *Rescaling) Repeat(n int) *Rescaling {
	var bias []int32
	var factors []Fixed
	var reals []float64
	for range n {
		bias, factors, reals = append(bias, r.bias...), append(factors, r.factors...), append(reals, r.reals...)
	}
	return r.with(bias, factors, reals)
}

func (r *Rescaling) with(bias []int32, factors []Fixed, reals []float64) *Rescaling {
	if reals != nil {
		return NewRealRescaling(bias, reals, r.zero, r.lo, r.hi)
	}
	return NewRescaling(bias, factors, r.zero, r.lo, r.hi)
}

// VectorLanes is the number of sums of a vector that products rescale where they
// have them, and VectorLen the length of what Vector appends for it.
const VectorLanes, VectorLen = 16, 6 * VectorLanes

// Narrow reports whether blocks of Vector rescale sums of which none exceeds most
// in magnitude before the bias is added: factors are less than 1, and what their
// terms add up to is an int32 at every step.
func (r *Rescaling) Narrow(most int64) bool {
	if r.reals != nil {
		return false
	}
	for c, f := range r.factors {
		if b := int64(r.bias[c]); !f.short() || most+max(b, -b) >= 1<<30 {
			return false
		}
	}
	return true
}

// Vector appends what makes of a vector of sums x, with their bias, the results
// less the zero point and not limited, of the channels that at returns for its
// lanes. With terms of v for x·M/2³¹, rounded with halves up,
//
//	y = (v + half − (x < 0)) >> Right
//
// is v over 2^Right with halves away from zero; where Right is 0, nothing is
// taken away. v is less than 0 exactly where x is, unless M is 0 or x·M = −2³⁰:
// then v is 0, and so is y either way. The blocks of 16 lanes are: by what x is shifted, without a
// sign, to give 1 where it is less than 0; M; M of the odd lanes in those before
// them; 2³¹ and half of the even lanes, then of the odd ones, as int64; Right.
func (r *Rescaling) Vector(table []int32, at func(lane int) int) []int32 {
	var b [6][VectorLanes]int32
	for i := range VectorLanes {
		f := r.factors[at(i)]
		b[0][i], b[1][i], b[5][i] = f.sign(), f.M, f.Right
		pair, rounding := i&^1, &b[3+i&1]
		if i&1 == 1 {
			b[2][pair] = f.M
		}
		rounding[pair], rounding[pair+1] = int32(f.rounding()), int32(f.rounding()>>32)
	}
	for i := range b {
		table = append(table, b[i][:]...)
	}
	return table
}

// short reports whether f is below 1 and as Vector needs it.
func (f Fixed) short() bool { return f.Left == 0 && (f.M == 0 || f.M >= 1<<30) }

// pairNumbers begins the numbers of a sum or product.
func pairNumbers(za, zb, sign, zero, lo, hi int32) (numbers []int64) {
	for _, v := range []int32{za, zb, sign, zero, lo - zero, hi - zero} {
		numbers = append(numbers, twice(v))
	}
	return numbers
}

// twice is v in both halves.
func twice(v int32) int64 { return int64(v)<<32 | int64(uint32(v)) }

// numbers appends what multiplies with f, as blocks of Vector do, integers that a
// shift by Left keeps below 2³⁰: first that shift and one more.
func (f Fixed) numbers(numbers []int64) []int64 {
	return append(numbers, twice(f.Left+1), twice(f.M), f.rounding(), twice(f.sign()), twice(f.Right))
}

// sign is by what a sum is shifted to give what is taken away if it is less than 0.
func (f Fixed) sign() int32 {
	if f.Right == 0 {
		return 32
	}
	return 31
}

// rounding is what is added to twice a product with M: 2³¹, and half of 2^Right in
// the upper half.
func (f Fixed) rounding() int64 { return int64(1)<<f.Right>>1<<32 | 1<<31 }
