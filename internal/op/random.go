package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// The operators here draw from the generator of mersenne.go, which each run of
// a node starts anew at the node's seed, 0 where it has none: the same model
// gives the same numbers on every run and every machine.

// IsRandom reports whether the values of o are drawn at random. Other runtimes
// draw others, so they must not be folded into a file.
func IsRandom(o Op) bool {
	switch o.(type) {
	case *Bernoulli, *Dropout, *Multinomial, *RandomNormal, *RandomNormalLike, *RandomUniform, *RandomUniformLike:
		return true
	}
	return false
}

// generator starts the generator at a seed that a file gives as a number:
// whatever is behind its point is cut off.
func generator(seed Opt[float32]) *mersenne {
	return newMersenne(uint32(toInt(float64(seed.Value))))
}

// drawn returns n numbers of the given type.
func drawn(f Fact, draw func() float64) ([]Datum, error) {
	c, err := room(f, dtype.Float64)
	if err != nil {
		return nil, err
	}
	vals := tensor.Data[float64](c)
	for i := range vals {
		vals[i] = draw()
	}
	y, err := Convert(c, f.Type)
	return Of(y), err
}

// inferDrawn is Infer of generators of a given shape.
func inferDrawn(in []Fact, typ dtype.Type, shape []int) ([]Fact, error) {
	if err := need(in, 0, 0); err != nil {
		return nil, err
	}
	if n, ok := tensor.Count(shape); !ok || int64(n) > maxBytes/8 {
		return nil, fmt.Errorf("shape %v is not possible", shape)
	}
	if !plainFloat(typ) {
		return nil, fmt.Errorf("random numbers of type %v", typ)
	}
	return []Fact{TensorFact(typ, Known(shape...))}, nil
}

// inferDrawnLike is Infer of generators of the operand's shape, and of its type
// unless one is given.
func inferDrawnLike(in []Fact, typ Opt[dtype.Type], ok func(dtype.Type) bool) ([]Fact, error) {
	out, err := inferUnary(in)
	if err != nil {
		return nil, err
	}
	if typ.Set {
		out[0].Type = typ.Value
	}
	return out, accept(ok, out[0])
}

func (m *mersenne) between(low, high float32) func() float64 {
	lo, width := float64(low), float64(high)-float64(low)
	return func() float64 { return lo + float64(width*m.uniform()) }
}

func (m *mersenne) around(mean, scale float32) func() float64 {
	return func() float64 { return float64(mean) + float64(float64(scale)*m.normal()) }
}

// RandomUniform draws a tensor of the given shape from [Low, High).
type RandomUniform struct {
	Dtype dtype.Type   `attr:"dtype,default=float32"`
	High  float32      `attr:"high,default=1"`
	Low   float32      `attr:"low,default=0"`
	Seed  Opt[float32] `attr:"seed"`
	Shape []int        `attr:"shape"`
}

// Name returns "RandomUniform".
func (*RandomUniform) Name() string { return "RandomUniform" }

// Infer returns the type and shape of the attributes.
func (o *RandomUniform) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferDrawn(in, o.Dtype, o.Shape)
}

// Eval draws the numbers.
func (o *RandomUniform) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	return drawn(out[0], generator(o.Seed).between(o.Low, o.High))
}

// RandomUniformLike draws a tensor of the operand's shape from [Low, High).
type RandomUniformLike struct {
	Dtype Opt[dtype.Type] `attr:"dtype"`
	High  float32         `attr:"high,default=1"`
	Low   float32         `attr:"low,default=0"`
	Seed  Opt[float32]    `attr:"seed"`
}

// Name returns "RandomUniformLike".
func (*RandomUniformLike) Name() string { return "RandomUniformLike" }

// Infer returns the operand's shape, and its type unless one is given.
func (o *RandomUniformLike) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferDrawnLike(in, o.Dtype, plainFloat)
}

// Eval draws the numbers.
func (o *RandomUniformLike) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	return drawn(out[0], generator(o.Seed).between(o.Low, o.High))
}

// RandomNormal draws a tensor of the given shape from the normal distribution
// of Mean and the standard deviation Scale.
type RandomNormal struct {
	Dtype dtype.Type   `attr:"dtype,default=float32"`
	Mean  float32      `attr:"mean,default=0"`
	Scale float32      `attr:"scale,default=1"`
	Seed  Opt[float32] `attr:"seed"`
	Shape []int        `attr:"shape"`
}

// Name returns "RandomNormal".
func (*RandomNormal) Name() string { return "RandomNormal" }

// Infer returns the type and shape of the attributes.
func (o *RandomNormal) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferDrawn(in, o.Dtype, o.Shape)
}

// Eval draws the numbers.
func (o *RandomNormal) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	return drawn(out[0], generator(o.Seed).around(o.Mean, o.Scale))
}

// RandomNormalLike draws a tensor of the operand's shape from the normal
// distribution of Mean and the standard deviation Scale.
type RandomNormalLike struct {
	Dtype Opt[dtype.Type] `attr:"dtype"`
	Mean  float32         `attr:"mean,default=0"`
	Scale float32         `attr:"scale,default=1"`
	Seed  Opt[float32]    `attr:"seed"`
}

// Name returns "RandomNormalLike".
func (*RandomNormalLike) Name() string { return "RandomNormalLike" }

// Infer returns the operand's shape, and its type unless one is given.
func (o *RandomNormalLike) Infer(in []Fact, _ int) ([]Fact, error) {
	return inferDrawnLike(in, o.Dtype, plainFloat)
}

// Eval draws the numbers.
func (o *RandomNormalLike) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	return drawn(out[0], generator(o.Seed).around(o.Mean, o.Scale))
}

// Bernoulli gives 1 with the probability that its operand says, from 0 to 1,
// and 0 otherwise: a uniform number is below it or not.
type Bernoulli struct {
	Dtype Opt[dtype.Type] `attr:"dtype"`
	Seed  Opt[float32]    `attr:"seed"`
}

// Name returns "Bernoulli".
func (*Bernoulli) Name() string { return "Bernoulli" }

// Infer returns the operand's shape, and its type unless one is given.
func (o *Bernoulli) Infer(in []Fact, _ int) ([]Fact, error) {
	out, err := inferDrawnLike(in, o.Dtype, func(t dtype.Type) bool { return isNumber(t) || isBool(t) })
	if err != nil {
		return nil, err
	}
	return out, accept(plainFloat, in[0])
}

// Eval draws the numbers.
func (o *Bernoulli) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	p, err := Convert(arg(in, 0), dtype.Float64)
	if err != nil {
		return nil, err
	}
	m, i := generator(o.Seed), -1
	return drawn(out[0], func() float64 {
		i++
		return float64(b2i(m.uniform() < tensor.Data[float64](p)[i]))
	})
}

// Multinomial draws SampleSize classes for each row of the operand [batch,
// classes], which holds logarithms of probabilities up to a summand; the
// result is [batch, SampleSize].
type Multinomial struct {
	Dtype      dtype.Type   `attr:"dtype,default=int32"`
	SampleSize int          `attr:"sample_size,default=1"`
	Seed       Opt[float32] `attr:"seed"`
}

// Name returns "Multinomial".
func (*Multinomial) Name() string { return "Multinomial" }

// Infer returns one row of samples for each row.
func (o *Multinomial) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	if err := accept(plainFloat, in[0]); err != nil {
		return nil, err
	}
	if o.Dtype != dtype.Int32 && o.Dtype != dtype.Int64 {
		return nil, fmt.Errorf("classes of type %v, want int32 or int64", o.Dtype)
	}
	if o.SampleSize < 0 || o.SampleSize > maxExtent {
		return nil, fmt.Errorf("%d samples", o.SampleSize)
	}
	x, err := Merge(in[0].Shape, OfRank(2))
	if err != nil {
		return nil, err
	}
	return []Fact{TensorFact(o.Dtype, Shape{x[0], Size(o.SampleSize)})}, nil
}

// Eval draws the classes by the running sum of probabilities.
func (o *Multinomial) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	x, err := Convert(arg(in, 0), dtype.Float64)
	if err != nil {
		return nil, err
	}
	vals, m := make([]int64, 0, c.len()), generator(o.Seed)
	classes := x.Shape()[1]
	sums := make([]float64, classes)
	for row := range x.Shape()[0] {
		top, total := math.Inf(-1), 0.0
		logs := tensor.Data[float64](x)[row*classes:][:classes]
		for _, v := range logs {
			top = max(top, v)
		}
		for i, v := range logs {
			total += eltwise.Exp64(v - top)
			sums[i] = total
		}
		if !(total > 0) || math.IsInf(total, 0) {
			return nil, fmt.Errorf("row %d holds no probabilities", row)
		}
		for range o.SampleSize {
			at, k := m.uniform()*total, 0
			for k < classes-1 && sums[k] <= at {
				k++
			}
			vals = append(vals, int64(k))
		}
	}
	return Of(tensor.FromInts(o.Dtype, vals, c.shape...)), nil
}
