package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

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

// rescaler is rescaled as its loops have it, one entry a channel.
type rescaler struct {
	bias, factor, half, away []int64
	shift                    []uint8
	left                     bool // a factor is 1 or more
	r                        *rescaled
}

func newRescaler(r *rescaled, channels int) *rescaler {
	k := &rescaler{r: r, bias: make([]int64, channels)}
	copy(k.bias, r.bias)
	for c := range channels {
		f := r.end.Factors[c%len(r.end.Factors)]
		n := max(-f.Shift, 0)
		half, away := int64(0), int64(0)
		if n > 0 {
			half, away = 1<<(n-1), -1
		}
		k.factor, k.shift = append(k.factor, int64(f.M)), append(k.shift, uint8(n))
		k.half, k.away = append(k.half, half), append(k.away, away)
		k.left = k.left || f.Shift > 0
	}
	return k
}

// rescaleRows stores rows of the result from the sums of its one or two operands.
func rescaleRows[T int8 | uint8 | int16](k *rescaler, dst []T, a, b []float32) {
	n := len(k.bias)
	r := &k.r.end
	zero, lo, hi := int64(r.Zero), int64(r.Min), int64(r.Max)
	plain := !k.left && r.Reals == nil && !r.Wide
	for at := 0; at < len(dst); at += n {
		to, x := dst[at:at+n], a[at:at+n]
		for c := range to {
			acc := int64(x[c])
			if b != nil {
				acc = k.r.times[0]*acc + k.r.times[1]*int64(b[at+c])
			}
			acc += k.bias[c]
			if !plain {
				to[c] = T(r.Of(acc, c))
				continue
			}
			// Fixed.Of without a left shift, see affine.
			v := (int64(int32(acc))*k.factor[c] + 1<<30) >> 31
			v = (v + k.half[c] + v>>63&k.away[c]) >> k.shift[c]
			to[c] = T(min(max(v+zero, lo), hi))
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
