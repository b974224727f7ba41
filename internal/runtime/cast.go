package runtime

import (
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/convert"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// eachCast is what converting an element costs, in multiply-adds.
const eachCast = 4

// dispatchCast converts between the types that networks convert between.
func (pl *plan) dispatchCast(s *step) {
	x := &pl.values[s.in[0]]
	if x.shape == nil {
		return
	}
	if x.typ == s.node.Out[0].Type {
		pl.dispatchView(s)
		return
	}
	loop := castLoop(x.typ, s.node.Out[0].Type)
	if loop == nil || !pl.place(s, 0) {
		return
	}
	n, _ := tensor.Count(x.shape)
	s.share(n, eachCast*n, func(f *frame, s *step, _, lo, hi int) { loop(f.out(s), f.vals[s.in[0]], lo, hi) })
}

// cast converts elements lo to hi.
type cast func(to, from *tensor.Tensor, lo, hi int)

// castLoop returns the loop for a pair of types, nil where there is none.
func castLoop(from, to dtype.Type) cast {
	switch from {
	case dtype.Float32:
		switch to {
		case dtype.Float16:
			return over(convert.EncodeF16)
		case dtype.BFloat16:
			return over(convert.EncodeBF16)
		}
		return castFloats[float32](to)
	case dtype.Float64:
		return castFloats[float64](to)
	case dtype.Float16, dtype.BFloat16:
		switch {
		case to != dtype.Float32:
			return nil
		case from == dtype.Float16:
			return over(convert.DecodeF16)
		}
		return over(convert.DecodeBF16)
	case dtype.Int64:
		return castIntegers[int64](to)
	case dtype.Int32:
		return castIntegers[int32](to)
	case dtype.Int8:
		return castIntegers[int8](to)
	case dtype.Uint8, dtype.Bool:
		return castIntegers[uint8](to)
	}
	return nil
}

func castIntegers[T convert.Integer](to dtype.Type) cast {
	switch to {
	case dtype.Float32:
		return over(convert.Numbers[float32, T])
	case dtype.Float64:
		return over(convert.Numbers[float64, T])
	case dtype.Int64:
		return over(convert.Numbers[int64, T])
	case dtype.Int32:
		return over(convert.Numbers[int32, T])
	case dtype.Int8:
		return over(convert.Numbers[int8, T])
	case dtype.Uint8:
		return over(convert.Numbers[uint8, T])
	case dtype.Bool:
		return over(convert.Truths[T])
	}
	return nil
}

func castFloats[T float32 | float64](to dtype.Type) cast {
	switch to {
	case dtype.Float32:
		return over(convert.Numbers[float32, T])
	case dtype.Float64:
		return over(convert.Numbers[float64, T])
	case dtype.Int64:
		return over(convert.Wrapped[int64, T])
	case dtype.Int32:
		return over(convert.Wrapped[int32, T])
	case dtype.Int8:
		return over(convert.Wrapped[int8, T])
	case dtype.Uint8:
		return over(convert.Wrapped[uint8, T])
	case dtype.Bool:
		return over(convert.Truths[T])
	}
	return nil
}

// over makes a cast of a function of slices.
func over[U, T tensor.Element](f func(dst []U, src []T)) cast {
	return func(to, from *tensor.Tensor, lo, hi int) {
		f(tensor.Data[U](to)[lo:hi], tensor.Data[T](from)[lo:hi])
	}
}
