package op

import (
	"errors"
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Loop runs its body while the trip count is not reached and the condition
// holds; either may be absent. Inputs are the trip count, the condition and the
// carried values; the body takes the number of the trip, the condition and the
// carried values, and gives the next condition, the carried values and what is
// gathered: the outputs are the last carried values and the gathered tensors,
// stacked along a new first axis.
type Loop struct{}

// Name returns "Loop".
func (o *Loop) Name() string { return "Loop" }

// BodyNames returns the body.
func (o *Loop) BodyNames() []string { return []string{"body"} }

// Infer knows nothing without the body.
func (o *Loop) Infer(_ []Fact, outs int) ([]Fact, error) { return make([]Fact, outs), nil }

// carried returns how many values are carried, checking the body's signature.
func (o *Loop) carried(in int, b Bodies) (int, error) {
	if err := b.check(o, in); err != nil {
		return 0, err
	}
	n := in - b.Captured - 2
	if n < 0 {
		return 0, ArityError(fmt.Sprintf("got %d inputs, want at least 2", n+2))
	}
	body := b.List[0]
	if len(body.In) != in {
		return 0, fmt.Errorf("the body has %d inputs, want %d", len(body.In)-b.Captured, in-b.Captured)
	}
	if len(body.Out) < 1+n {
		return 0, fmt.Errorf("the body has %d outputs, want at least %d", len(body.Out), 1+n)
	}
	return n, nil
}

// one returns the shape that a body wants for a number: [1] in files of old
// exporters, a scalar otherwise.
func one(f Fact) Shape {
	if len(f.Shape) == 1 {
		return Known(1)
	}
	return Known()
}

// InferBodies finds the shapes that hold for every trip. How many trips there
// are is known where the count is constant and nothing ends them early.
func (o *Loop) InferBodies(in []Fact, outs int, b Bodies) ([]Fact, error) {
	n, err := o.carried(len(in), b)
	if err != nil {
		return nil, err
	}
	body := b.List[0]
	if outs > len(body.Out)-1 {
		return nil, fmt.Errorf("%d outputs, and the body gives %d", outs, len(body.Out)-1)
	}
	if f := in[0]; f.Type != dtype.Invalid && f.Type != dtype.Int64 {
		return nil, fmt.Errorf("the trip count is %v, want int64", f.Type)
	}
	if err := wantCondition(in[1], "the condition"); err != nil {
		return nil, err
	}
	var goesOn Fact
	var last []Fact
	carried, gathered, err := b.invariant(in[2:2+n], func(cur []Fact) ([]Fact, []Fact, error) {
		facts := append([]Fact{TensorFact(dtype.Int64, one(body.In[0])), TensorFact(dtype.Bool, one(body.In[1]))}, cur...)
		out, err := body.Infer(append(facts, in[2+n:]...))
		if err != nil {
			return nil, nil, err
		}
		goesOn, last = out[0], out[1:1+n]
		return out[1 : 1+n], out[1+n:], nil
	})
	if err != nil {
		return nil, err
	}
	for i, f := range carried {
		if f.Kind == OptionalKind && last[i].Kind != OptionalKind {
			carried[i] = Fact{} // an optional at first, then what it may hold
		}
	}
	trips := Unknown
	if always(goesOn) && (!in[1].Present() || always(in[1])) {
		if v, ok := in[0].Numbers(); ok && len(v) == 1 {
			trips = Size(max(v[0], 0))
		}
	}
	return append(carried, stackedFacts(gathered, trips)...), nil
}

// always reports whether a condition is constant and holds.
func always(f Fact) bool {
	if f.Const == nil {
		return false
	}
	holds, err := truth(Datum{Tensor: f.Const}, "")
	return err == nil && holds
}

// stackedFacts returns the facts of n gathered tensors.
func stackedFacts(facts []Fact, n Dim) []Fact {
	out := make([]Fact, len(facts))
	for i, f := range facts {
		out[i] = TensorFact(f.Type, nil)
		if f.Shape != nil {
			out[i].Shape = append(Shape{n}, f.Shape...)
		}
	}
	return out
}

// EvalBodies runs the body until the count or the condition ends it.
func (o *Loop) EvalBodies(in []Datum, b Bodies) ([]Datum, error) {
	n, err := o.carried(len(in), b)
	if err != nil {
		return nil, err
	}
	count := int64(math.MaxInt64)
	if t := in[0].Tensor; t != nil {
		v, ok := tensor.Ints(t)
		if !ok || len(v) != 1 {
			return nil, errors.New("the trip count is no integer")
		}
		count = v[0]
	}
	goesOn := true
	if in[1].Present() {
		if goesOn, err = truth(in[1], "the condition"); err != nil {
			return nil, err
		}
	}
	body := b.List[0]
	number, _ := one(body.In[0]).Ints()
	flag, _ := one(body.In[1]).Ints()
	args := make([]Datum, len(in))
	copy(args[2:], in[2:])
	g := newGathered(body.Out[1+n:])
	for i := int64(0); i < count && goesOn; i++ {
		if err := b.Budget.trip(); err != nil {
			return nil, err
		}
		args[0] = Datum{Tensor: tensor.FromSlice([]int64{i}, number...)}
		args[1] = Datum{Tensor: tensor.FromInts(dtype.Bool, []int64{1}, flag...)}
		out, err := body.Run(args)
		if err != nil {
			return nil, fmt.Errorf("trip %d: %w", i, err)
		}
		if goesOn, err = truth(out[0], "the condition of the body"); err != nil {
			return nil, err
		}
		copy(args[2:2+n], out[1:1+n])
		if err := g.add(out[1+n:], args[2:2+n]); err != nil {
			return nil, fmt.Errorf("trip %d: %w", i, err)
		}
	}
	return g.done(args[2 : 2+n])
}

// gathered collects the outputs of trips that are stacked.
type gathered struct {
	facts []Fact
	lists [][]*tensor.Tensor
	bytes int64
}

func newGathered(facts []Fact) *gathered {
	return &gathered{facts: facts, lists: make([][]*tensor.Tensor, len(facts))}
}

// add takes the outputs of a trip, and looks at the size of what is carried.
func (g *gathered) add(out, carried []Datum) error {
	for k, d := range out {
		if d.Tensor == nil {
			return fmt.Errorf("gathered output %d is no tensor", k)
		}
		g.lists[k] = append(g.lists[k], d.Tensor)
		g.bytes += bytesOf(d)
	}
	now := g.bytes
	for _, d := range carried {
		now += bytesOf(d)
	}
	return withinLooped(now)
}

// done returns the carried values and the stacked outputs.
func (g *gathered) done(carried []Datum) ([]Datum, error) {
	out := append([]Datum{}, carried...)
	for k, list := range g.lists {
		t, err := stack(list, g.facts[k])
		if err != nil {
			return nil, fmt.Errorf("gathered output %d: %w", k, err)
		}
		out = append(out, Datum{Tensor: t})
	}
	return out, nil
}
