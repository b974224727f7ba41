package fused

import (
	"math"

	"github.com/octavo-ml/octavo/internal/exact"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
)

// Probabilities is softmax whose results are bfloat16: of row r of Cols scores,
// s = x·Times + add in float32 steps, e^(s − max) over its sum goes to Y[r*Step],
// and zeros behind it up to Step. Powers below e^−80 are zeros, and results that
// would be subnormal. It is outside the contract of bits: the power is at most
// 5e-7 off.
type Probabilities struct {
	X          []float32 // where s stays, or what was made of it
	Rows, Cols int
	Times      float32
	Add        []float32 // nil, or rows AddStep apart, which may be 0
	AddStep    int
	Y          []uint16
	Step       int
}

// least is the exponent of the least power that is no zero: subnormal numbers
// would take a hundred times as long.
const least = -80

// power holds the coefficients of e^r for |r| <= ln2/2, lowest first, those of
// the generator of assembly.
var power = [...]float32{1.00000012, 1, 0.499988228, 0.166664988, 0.0419225618, 0.00836986955}

// Run computes all rows.
func (p *Probabilities) Run() {
	if p.Rows == 0 || p.Cols == 0 {
		return
	}
	if !p.rows() {
		for r := range p.Rows {
			p.row(r)
		}
	}
	if p.Cols < p.Step {
		for r := range p.Rows {
			clear(p.Y[r*p.Step+p.Cols : (r+1)*p.Step])
		}
	}
}

// row is the twin that defines the bits.
func (p *Probabilities) row(r int) {
	x := p.X[r*p.Cols : (r+1)*p.Cols]
	most := float32(math.Inf(-1))
	for i, v := range x {
		x[i] = float32(v * p.Times)
		if p.Add != nil {
			x[i] += p.Add[r*p.AddStep+i]
		}
		if x[i] > most {
			most = x[i]
		}
	}
	var sums [lanes]float32
	for i, v := range x {
		x[i] = shortExp(v - most)
		sums[i%lanes] += x[i]
	}
	for d := lanes / 2; d > 0; d /= 2 {
		for i := range d {
			sums[i] += sums[i+d]
		}
	}
	by := 1 / sums[0]
	for i, v := range x {
		y := float32(v * by)
		if math.Abs(float64(y)) < 0x1p-126 {
			y = 0
		}
		p.Y[r*p.Step+i] = convert.F32ToBF16(y)
	}
}

// shortExp is e^x for x up to 0.
func shortExp(x float32) float32 {
	if x < least {
		return 0
	}
	t := float32(math.RoundToEven(float64(float32(x * math.Log2E))))
	r := exact.FMA32(t, -0.693145751953125, x) // ln2 in two parts
	r = exact.FMA32(t, -1.42860682030941723212e-6, r)
	e := power[len(power)-1]
	for i := len(power) - 2; i >= 0; i-- {
		e = exact.FMA32(e, r, power[i])
	}
	return float32(math.Ldexp(float64(e), int(t)))
}
