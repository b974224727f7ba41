package runtime

import (
	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// factor is an affine.Fixed as loops have it: with 64 bits no product overflows,
// and no branch depends on what is rounded.
type factor struct {
	m, half, away int64
	left, right   uint8
}

func fixedFactor(f affine.Fixed) factor {
	k := factor{m: int64(f.M)}
	if f.Shift > 0 {
		k.left = uint8(f.Shift)
	}
	if f.Shift < 0 {
		k.right, k.half, k.away = uint8(-f.Shift), 1<<(-f.Shift-1), -1
	}
	return k
}

// of is affine.Fixed.Of.
func (k *factor) of(x int32) int64 {
	v := (int64(x<<k.left)*k.m + 1<<30) >> 31
	return (v + k.half + v>>63&k.away) >> k.right
}

// rescaled takes the sums of products to integers, channels last.
type rescaled struct {
	end   op.Rescaler
	bias  []int64 // nil for none
	times []int64 // what the sums of each operand count
	typ   dtype.Type
}

// Name returns "Rescale".
func (*rescaled) Name() string { return "Rescale" }

// Infer returns the operand's shape in the type of the result.
func (r *rescaled) Infer(in []op.Fact, _ int) ([]op.Fact, error) {
	return []op.Fact{op.TensorFact(r.typ, in[0].Shape)}, nil
}

// Eval rescales every sum.
func (r *rescaled) Eval(in []op.Datum) ([]op.Datum, error) {
	shape := in[0].Tensor.Shape()
	channels := shape[len(shape)-1]
	out := make([]int64, in[0].Tensor.Len())
	for k, d := range in {
		for i, v := range tensor.Data[float32](d.Tensor) {
			out[i] += r.times[k] * int64(v)
		}
	}
	for i := range out {
		c := i % channels
		if r.bias != nil {
			out[i] += r.bias[c]
		}
		out[i] = int64(r.end.Of(out[i], c))
	}
	return op.Of(tensor.FromInts(r.typ, out, shape...)), nil
}

// rescaler is rescaled with one entry a channel.
type rescaler struct {
	*rescaled
	biases  []int64
	factors []factor
}

func newRescaler(r *rescaled, channels int) *rescaler {
	k := &rescaler{rescaled: r, biases: make([]int64, channels)}
	copy(k.biases, r.bias)
	for c := range channels {
		k.factors = append(k.factors, fixedFactor(r.end.Factors[c%len(r.end.Factors)]))
	}
	return k
}

// rescaleRows stores rows of the result from the sums of one or two operands.
func rescaleRows[T int8 | uint8 | int16](k *rescaler, dst []T, a, b []float32) {
	n := len(k.biases)
	zero, lo, hi := int64(k.end.Zero), int64(k.end.Min), int64(k.end.Max)
	plain := k.end.Reals == nil && !k.end.Wide
	for at := 0; at < len(dst); at += n {
		to, x, biases, factors := dst[at:at+n], a[at:at+n], k.biases[:n], k.factors[:n]
		if plain && b == nil {
			for c := range to {
				v := factors[c].of(int32(int64(x[c]) + biases[c]))
				to[c] = T(min(max(v+zero, lo), hi))
			}
			continue
		}
		for c := range to {
			acc := int64(x[c])
			if b != nil {
				acc = k.times[0]*acc + k.times[1]*int64(b[at+c])
			}
			to[c] = T(k.end.Of(acc+biases[c], c))
		}
	}
}

func (pl *plan) dispatchRescaled(s *step, r *rescaled) {
	shape := pl.values[s.in[0]].shape
	if len(shape) == 0 || shape[len(shape)-1] == 0 || len(s.in) > 2 || !pl.place(s, 0) {
		return
	}
	channels := shape[len(shape)-1]
	rows, _ := tensor.Count(shape[:len(shape)-1])
	k := newRescaler(r, channels)
	s.share(rows, rows*channels*eachQuantized, func(f *frame, s *step, _, lo, hi int) {
		lo, hi = lo*channels, hi*channels
		a := tensor.Data[float32](f.vals[s.in[0]])[lo:hi]
		var b []float32
		if len(s.in) > 1 {
			b = tensor.Data[float32](f.vals[s.in[1]])[lo:hi]
		}
		switch y := f.out(s); r.typ {
		case dtype.Int8:
			rescaleRows(k, tensor.Data[int8](y)[lo:hi], a, b)
		case dtype.Uint8:
			rescaleRows(k, y.Bytes()[lo:hi], a, b)
		default:
			rescaleRows(k, tensor.Data[int16](y)[lo:hi], a, b)
		}
	})
}
