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
		if b := int64(r.bias[c]); f.Left != 0 || f.M != 0 && f.M < 1<<30 || most+max(b, -b) >= 1<<30 {
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
	const low = -1 << 31
	for i := range VectorLanes {
		f := r.factors[at(i)]
		b[0][i], b[1][i], b[5][i] = 31, f.M, f.Right
		if f.Right == 0 {
			b[0][i] = 32
		}
		half := int32(int64(1) << f.Right >> 1)
		pair, even := i&^1, 3+i&1
		if i&1 == 1 {
			b[2][pair] = f.M
		}
		b[even][pair], b[even][pair+1] = low, half
	}
	for i := range b {
		table = append(table, b[i][:]...)
	}
	return table
}
