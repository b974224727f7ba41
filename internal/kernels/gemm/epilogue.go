package gemm

import (
	"math"

	"github.com/octavo-ml/octavo/internal/kernels/convert"
)

// FloatEnd is what happens to the float32 sums of each column: the bias is
// added, then min(max(x, lo), hi) with Go's min and max, each rounded.
type FloatEnd struct {
	bias             []float32 // of whole panels
	least, most, tie float32
	late             bool // the clamp is one that kernels do not have
	lo, hi           float32
}

// NewFloatEnd returns the epilogue of n columns. A nil bias adds nothing.
func NewFloatEnd(n int, bias []float32, clamp bool, lo, hi float32) *FloatEnd {
	negative, inf := float32(math.Copysign(0, -1)), float32(math.Inf(1))
	e := &FloatEnd{bias: make([]float32, padded(n)), least: -inf, most: inf, tie: negative}
	for i := range e.bias {
		e.bias[i] = negative // which changes nothing, not even the sign of a zero
	}
	copy(e.bias, bias)
	switch {
	case !clamp:
	case lo != lo || hi != hi || hi == 0 && math.Signbit(float64(hi)):
		e.late, e.lo, e.hi = true, lo, hi
	default:
		// Instructions take either of two zeros for the greater. Kernels keep
		// x then, and +0 added afterwards makes a −0 of it the limit +0.
		e.least, e.most = lo, hi
		if lo == 0 && !math.Signbit(float64(lo)) {
			e.tie = 0
		}
	}
	return e
}

// Finish says what becomes of the integer sums of each column.
type Finish struct {
	Bias       []int32   // added to the sums, modulo 2³²; nil for none
	Multiplier []float32 // one for all columns or one for each
	// Grid is that of 8-bit results: round(float32(sum)·Multiplier) +
	// ZeroPoint, clamped, as convert.Requantize has it.
	Grid convert.Grid
	// Float asks for float32(sum)·Multiplier instead; with Clamp
	// min(max(x, Lo), Hi) follows.
	Float, Clamp bool
	Lo, Hi       float32
	// Whole asks for the sums themselves, as int32.
	Whole bool
	// Fixed, if not nil, makes 8-bit results of the sums, one column a channel,
	// instead of all else. No sum's magnitude exceeds Most before a bias is added.
	Fixed *convert.Rescaling
	Most  int64
}

// ByteEnd is Finish as kernels take it.
type ByteEnd struct {
	bias, shifted []int32 // for A, and for A less 128
	multiplier    []float32
	least, most   float32
	wide          int32
	zero, flip    uint32
	low, high     uint32
	float, clamp  bool
	whole         bool
	over          bool // a multiplier may make of an int32 what is none
	lo, hi        float32
	grid          convert.Grid
	fixed         []*convert.Rescaling // of each panel, without bias; nil for other results
	vectors       []int32              // what makes the same of vectors of sums, nil where nothing does
}

// NewByteEnd returns the epilogue of the n columns of a packed matrix, for
// activations whose uint8 have the given zero point.
func NewByteEnd(f Finish, m Matrix, packed []int8, zero uint8) *ByteEnd {
	sums := make([]int32, m.Columns)
	m.Sums(sums, packed)
	return ByteEndOf(f, sums, zero)
}

// ByteEndOf is NewByteEnd for columns whose bytes add up to sums, as Matrix.Sums
// has them.
func ByteEndOf(f Finish, sums []int32, zero uint8) *ByteEnd {
	n := len(sums)
	e := &ByteEnd{bias: make([]int32, padded(n)), shifted: make([]int32, padded(n)), multiplier: make([]float32, padded(n)), float: f.Float, clamp: f.Clamp, whole: f.Whole, lo: f.Lo, hi: f.Hi, grid: f.Grid}
	copy(e.bias, sums)
	e.weigh(zero)
	if f.Fixed != nil {
		f.Grid, f.Multiplier = e.rescale(f), []float32{0}
		f.Bias, e.grid = f.Fixed.Bias(), f.Grid
	}
	for i := range n {
		if f.Bias != nil {
			e.bias[i] += f.Bias[i]
			e.shifted[i] += f.Bias[i]
		}
		e.multiplier[i] = f.Multiplier[i%len(f.Multiplier)]
		e.over = e.over || !(-1 < e.multiplier[i] && e.multiplier[i] < 1)
	}
	// Kernels know uint8; the flipped sign bit makes it an int8.
	g := f.Grid
	if g.QMin < 0 {
		e.flip = 0x80808080
		g = convert.Grid{ZeroPoint: g.ZeroPoint + 128, QMin: g.QMin + 128, QMax: g.QMax + 128}
	}
	e.least, e.wide = float32(g.QMin-g.ZeroPoint), g.ZeroPoint
	e.most = float32(g.QMax - g.ZeroPoint)
	e.zero = uint32(uint16(g.ZeroPoint)) * 0x10001
	e.low, e.high = uint32(uint8(g.QMin))*0x01010101, uint32(uint8(g.QMax))*0x01010101
	return e
}

// weigh makes of the sums of B's columns, which bias holds, the terms that a
// zero point of A adds. Without shifted only those for A itself are made.
func (e *ByteEnd) weigh(zero uint8) {
	for i, sum := range e.bias {
		e.bias[i] = -int32(zero) * sum
		if e.shifted != nil {
			e.shifted[i] = (128 - int32(zero)) * sum
		}
	}
}
