package op

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// ScatterElements returns its data with single elements replaced by, or
// reduced with, updates: the counterpart of [GatherElements]. Updates are
// applied in order.
type ScatterElements struct {
	Axis      int    `attr:"axis,default=0"`
	Reduction string `attr:"reduction,default=none"`
}

// Name returns "ScatterElements".
func (o *ScatterElements) Name() string { return "ScatterElements" }

// Infer gives the data's type and shape.
func (o *ScatterElements) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, 3); err != nil {
		return nil, err
	}
	if err := sameRankIndices(in[0].Shape, in[1], o.Axis); err != nil {
		return nil, err
	}
	if _, err := Merge(in[1].Shape, in[2].Shape); err != nil {
		return nil, fmt.Errorf("updates: %w", err)
	}
	return inferScatter(in, o.Reduction)
}

func inferScatter(in []Fact, reduction string) ([]Fact, error) {
	typ, err := sameType(in[0], in[2])
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"none", "add", "mul", "min", "max"}, reduction) {
		return nil, fmt.Errorf("reduction %q", reduction)
	}
	if reduction != "none" && (typ == dtype.String || typ == dtype.Bool) {
		return nil, fmt.Errorf("reduction %q of %v", reduction, typ)
	}
	return []Fact{TensorFact(typ, in[0].Shape)}, nil
}

// Eval applies the updates to a copy.
func (o *ScatterElements) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	at, err := elementOffsets(in[1].Tensor, in[0].Tensor.Shape(), o.Axis)
	if err != nil {
		return nil, err
	}
	return scatter(in[0].Tensor, in[2].Tensor, at, 1, o.Reduction)
}

// ScatterND returns its data with slices replaced by, or reduced with,
// updates: the counterpart of [GatherND]. Updates are applied in order.
type ScatterND struct {
	Reduction string `attr:"reduction,default=none"`
}

// Name returns "ScatterND".
func (o *ScatterND) Name() string { return "ScatterND" }

// Infer gives the data's type and shape.
func (o *ScatterND) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, 3); err != nil {
		return nil, err
	}
	slices, err := (&GatherND{}).Infer(in[:2], 1)
	if err != nil {
		return nil, err
	}
	if _, err := Merge(slices[0].Shape, in[2].Shape); err != nil {
		return nil, fmt.Errorf("updates: %w", err)
	}
	return inferScatter(in, o.Reduction)
}

// Eval applies the updates to a copy.
func (o *ScatterND) Eval(in []Datum) ([]Datum, error) {
	if _, err := prepare(o, in, 1); err != nil {
		return nil, err
	}
	at, n, err := tupleOffsets(in[1].Tensor, in[0].Tensor.Shape(), 0)
	if err != nil {
		return nil, err
	}
	return scatter(in[0].Tensor, in[2].Tensor, at, n, o.Reduction)
}

// scatter applies update i, of n elements, at element at[i] of a copy of x.
func scatter(x, updates *tensor.Tensor, at []int, n int, reduction string) ([]Datum, error) {
	if x.Type() != updates.Type() || updates.Len() != len(at)*n {
		return nil, fmt.Errorf("updates %v do not fit %d indices of %v", updates, len(at), x)
	}
	if reduction != "none" {
		return reduceScatter(x, updates, at, n, reduction)
	}
	c, err := canvasOf(x.Type(), x.Shape()...)
	if err != nil {
		return nil, err
	}
	c.draw(x, 0, 0, lane{n: x.Len(), to: 1, from: 1})
	c.draw(updates, 0, 0, lane{n: len(at), toAt: at, from: n}, lane{n: n, to: 1, from: 1})
	return Of(c.done()), nil
}

func reduceScatter(x, updates *tensor.Tensor, at []int, n int, reduction string) ([]Datum, error) {
	switch typ := x.Type(); typ {
	case dtype.Float32:
		return reduceInto[float32](x, updates, at, n, reduction), nil
	case dtype.Float64:
		return reduceInto[float64](x, updates, at, n, reduction), nil
	case dtype.Int8:
		return reduceInto[int8](x, updates, at, n, reduction), nil
	case dtype.Int16:
		return reduceInto[int16](x, updates, at, n, reduction), nil
	case dtype.Int32:
		return reduceInto[int32](x, updates, at, n, reduction), nil
	case dtype.Int64:
		return reduceInto[int64](x, updates, at, n, reduction), nil
	case dtype.Uint8:
		return reduceInto[uint8](x, updates, at, n, reduction), nil
	case dtype.Uint16:
		return reduceInto[uint16](x, updates, at, n, reduction), nil
	case dtype.Uint32:
		return reduceInto[uint32](x, updates, at, n, reduction), nil
	case dtype.Uint64:
		return reduceInto[uint64](x, updates, at, n, reduction), nil
	}
	return throughFloat32(x.Type(), []*tensor.Tensor{x, updates}, func(w []*tensor.Tensor) ([]Datum, error) {
		if w[0].Type() != dtype.Float32 {
			return nil, fmt.Errorf("reduction %q of %v", reduction, x.Type())
		}
		return reduceInto[float32](w[0], w[1], at, n, reduction), nil
	})
}

func reduceInto[T float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](x, updates *tensor.Tensor, at []int, n int, reduction string) []Datum {
	out := x.Clone()
	dst, src := tensor.Data[T](out), tensor.Data[T](updates)
	for i, to := range at {
		d, u := dst[to:to+n], src[i*n:(i+1)*n]
		switch reduction {
		case "add":
			for j, v := range u {
				d[j] += v
			}
		case "mul":
			for j, v := range u {
				d[j] *= v
			}
		case "min":
			for j, v := range u {
				d[j] = min(d[j], v)
			}
		case "max":
			for j, v := range u {
				d[j] = max(d[j], v)
			}
		}
	}
	return Of(out)
}
