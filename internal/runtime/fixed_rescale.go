package runtime

import (
	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// fixedFactor returns a factor as kernels have it.
func fixedFactor(f affine.Fixed) convert.Fixed {
	return convert.Fixed{M: f.M, Left: int32(max(f.Shift, 0)), Right: int32(max(-f.Shift, 0))}
}

// rescaled takes the sums of products to integers, channels last.
type rescaled struct {
	end   op.Rescaler
	bias  []int64 // nil for none
	times []int64 // what the sums of each operand count
	typ   dtype.Type
	most  int64 // of a product, the greatest magnitude of a sum without bias
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
		for i, v := range tensor.Data[int32](d.Tensor) {
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
	biases []int64
	plain  *convert.Rescaling // nil unless there is one operand, and factors alone
}

func newRescaler(r *rescaled, channels, operands int) *rescaler {
	k := &rescaler{rescaled: r, biases: make([]int64, channels)}
	copy(k.biases, r.bias)
	if !r.end.Wide && operands == 1 && r.times[0] == 1 {
		k.plain = r.plain(channels)
	}
	return k
}

// plain returns the rescaling of one operand, which has no more than 32 bits.
// Channels may be those of r several times over.
func (r *rescaled) plain(channels int) *convert.Rescaling {
	bias := make([]int32, channels)
	for c := range bias {
		if len(r.bias) > 0 {
			bias[c] = int32(r.bias[c%len(r.bias)])
		}
	}
	if r.end.Reals != nil {
		reals := make([]float64, channels)
		for c := range reals {
			reals[c] = r.end.Reals[c%len(r.end.Reals)]
		}
		return convert.NewRealRescaling(bias, reals, r.end.Zero, r.end.Min, r.end.Max)
	}
	factors := make([]convert.Fixed, channels)
	for c := range factors {
		factors[c] = fixedFactor(r.end.Factors[c%len(r.end.Factors)])
	}
	return convert.NewRescaling(bias, factors, r.end.Zero, r.end.Min, r.end.Max)
}

// rescaleRows stores rows of the result from the sums of one or two operands.
func rescaleRows[T int8 | uint8 | int16](k *rescaler, dst []T, a, b []int32) {
	n := len(k.biases)
	for at := 0; at < len(dst); at += n {
		to, x, biases := dst[at:at+n], a[at:at+n], k.biases[:n]
		for c := range to {
			acc := k.times[0] * int64(x[c])
			if b != nil {
				acc += k.times[1] * int64(b[at+c])
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
	k := newRescaler(r, channels, len(s.in))
	s.share(rows, rows*channels*eachQuantized, func(f *frame, s *step, _, lo, hi int) {
		lo, hi = lo*channels, hi*channels
		a := tensor.Data[int32](f.vals[s.in[0]])[lo:hi]
		var b []int32
		if len(s.in) > 1 {
			b = tensor.Data[int32](f.vals[s.in[1]])[lo:hi]
		}
		switch y := f.out(s); {
		case k.plain != nil && r.typ == dtype.Int8:
			convert.Rescale(k.plain, tensor.Data[int8](y)[lo:hi], a)
		case k.plain != nil && r.typ == dtype.Uint8:
			convert.Rescale(k.plain, y.Bytes()[lo:hi], a)
		case r.typ == dtype.Int8:
			rescaleRows(k, tensor.Data[int8](y)[lo:hi], a, b)
		case r.typ == dtype.Uint8:
			rescaleRows(k, y.Bytes()[lo:hi], a, b)
		default:
			rescaleRows(k, tensor.Data[int16](y)[lo:hi], a, b)
		}
	})
}
