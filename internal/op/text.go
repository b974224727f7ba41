package op

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func isText(t dtype.Type) bool { return t == dtype.String }

// evalTexts runs the loop over two broadcast operands of strings.
func evalTexts[T any](o Op, in []Datum, loop func(dst []T, a, b []string)) ([]Datum, error) {
	_, shape, err := prepareSized(o, in)
	if err != nil {
		return nil, err
	}
	a, b := arg(in, 0), arg(in, 1)
	as, _ := eltwise.BroadcastStrides(a.Shape(), shape)
	bs, _ := eltwise.BroadcastStrides(b.Shape(), shape)
	n, _ := tensor.Count(shape)
	dst := make([]T, n)
	eltwise.Broadcast(dst, shape, a.Strings(), as, b.Strings(), bs, loop)
	switch v := any(dst).(type) {
	case []bool:
		return Of(tensor.FromSlice(v, shape...)), nil
	case []string:
		y, err := tensor.FromStrings(v, shape...)
		return Of(y), err
	}
	return nil, fmt.Errorf("no tensor holds a %T", dst)
}

// spell writes the elements of x as text: integers in decimal, floats as the
// shortest decimal without an exponent that reads back as the same number of
// the type, INF, -INF and NaN, and Bool as True and False, as NumPy does.
func spell(x *tensor.Tensor) (*tensor.Tensor, error) {
	if isText(x.Type()) {
		return x, nil
	}
	out := make([]string, x.Len())
	switch typ := x.Type(); {
	case typ == dtype.Bool:
		for i, v := range integers(x) {
			out[i] = [2]string{"False", "True"}[v]
		}
	case typ == dtype.Uint64:
		for i, v := range tensor.Data[uint64](x) {
			out[i] = strconv.FormatUint(v, 10)
		}
	case typ.IsInteger():
		for i, v := range integers(x) {
			out[i] = strconv.FormatInt(v, 10)
		}
	default:
		reals, err := decodeFloats(x)
		if err != nil {
			return nil, err
		}
		width := 32
		if typ == dtype.Float64 {
			width = 64
		}
		for i, v := range reals {
			switch {
			case math.IsInf(v, 0):
				out[i] = [2]string{"INF", "-INF"}[b2i(v < 0)]
			case v != v:
				out[i] = "NaN"
			default:
				out[i] = strconv.FormatFloat(v, 'f', -1, width)
			}
		}
	}
	return tensor.FromStrings(out, x.Shape()...)
}

// parse reads strings as numbers. Those meant for integers may have a fraction,
// which is cut off, and those for Bool are numbers or True and False.
func (o *Cast) parse(x *tensor.Tensor) ([]Datum, error) {
	reals, ints := make([]float64, x.Len()), make([]int64, x.Len())
	whole := o.To.IsInteger()
	for i, s := range x.Strings() {
		s = strings.TrimSpace(s)
		if whole {
			v, err := strconv.ParseInt(s, 10, 64)
			if u, uerr := strconv.ParseUint(s, 10, 64); err != nil && uerr == nil {
				v, err = int64(u), nil
			}
			if ints[i] = v; err == nil {
				continue
			}
		}
		if flag, ok := map[string]float64{"true": 1, "false": 0}[strings.ToLower(s)]; ok && isBool(o.To) {
			reals[i] = flag
			continue
		}
		width := 64
		if o.To == dtype.Float32 {
			width = 32
		}
		// A number out of range is an infinity, as in other conversions.
		v, err := strconv.ParseFloat(s, width)
		if ne, ok := err.(*strconv.NumError); ok && ne.Err != strconv.ErrRange {
			return nil, fmt.Errorf("element %d, %q, is no number", i, s)
		}
		reals[i], ints[i] = v, toInt(v)
	}
	if whole {
		return Of(tensor.FromInts(o.To, ints, x.Shape()...)), nil
	}
	y, err := encode(reals, o.To, x.Shape(), o.Saturate, roundings[o.RoundMode])
	return Of(y), err
}
