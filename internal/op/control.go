package op

import (
	"errors"
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Flow is an operator that runs graphs: If, Loop, Scan and SequenceMap. The
// node's trailing inputs, Bodies.Captured of them, stand for values around the
// bodies; every body gets them behind its own inputs.
type Flow interface {
	Op
	// InferBodies is Infer with what the bodies tell.
	InferBodies(in []Fact, outs int, b Bodies) ([]Fact, error)
	// EvalBodies is the operator's meaning in terms of that of its bodies.
	EvalBodies(in []Datum, b Bodies) ([]Datum, error)
	// BodyNames returns the attributes that hold the bodies, in their order.
	BodyNames() []string
}

// PartialFlow is a Flow whose bodies may be left out. One that is has a body
// that gives what it takes.
type PartialFlow interface {
	Flow
	BodiesAreOptional()
}

// Body is one graph of a Flow, as far as the operator sees it.
type Body struct {
	In, Out []Fact // what is known of its inputs, captured ones included, and outputs
	// Infer returns what is known of the outputs for inputs of which that much
	// is known; a zero Fact leaves an input as it is.
	Infer func(in []Fact) ([]Fact, error)
	// Run computes the outputs.
	Run func(in []Datum) ([]Datum, error)
}

// Bodies are the graphs of one node.
type Bodies struct {
	List     []Body
	Captured int
	// Deep says that the node stands in so many bodies that shapes are not to
	// be inferred more than once.
	Deep bool
	// Budget is shared by all loops of an evaluation; nil while inferring.
	Budget *Budget
}

// maxTrips is how many times the bodies of loops may run, all loops together, in
// one evaluation of a graph or node, where no other limit is given.
const maxTrips = 1_000_000

// maxLooped bounds the bytes that loops gather or carry at one time.
const maxLooped = 1 << 30

// Budget counts the trips of the loops of one evaluation.
type Budget struct {
	// Limit is how many trips there may be; 0: a million.
	Limit int
	made  int
}

// trip counts one run of a body.
func (b *Budget) trip() error {
	limit := b.Limit
	if limit == 0 {
		limit = maxTrips
	}
	if b.made++; b.made > limit {
		return fmt.Errorf("%w: their bodies may run %d times in all; look at its condition and its number of trips, by which it ends", ErrTrips, limit)
	}
	return nil
}

// ErrTrips says that loops ran their bodies more often than they may.
var ErrTrips = errors.New("loops run too long, or never end")

// check looks at the number of bodies, and of inputs that each must take.
func (b Bodies) check(o Flow, in int) error {
	if names := o.BodyNames(); len(b.List) != len(names) {
		return fmt.Errorf("got %d bodies, want %d", len(b.List), len(names))
	}
	if in < b.Captured {
		return ArityError(fmt.Sprintf("got %d inputs, want at least %d", in, b.Captured))
	}
	return nil
}

// Join returns what holds of a value that is either a or b: dimensions that
// differ are unknown. Different types are an error.
func Join(a, b Fact) (Fact, error) {
	switch {
	case !a.Present():
		return shapeless(b), nil
	case !b.Present():
		return shapeless(a), nil
	}
	if a.Kind == OptionalKind && b.Kind != OptionalKind {
		full := b // it is as good as one that is full
		b = Fact{Kind: OptionalKind, Elem: &full}
	}
	if a.Kind != b.Kind {
		return Fact{}, fmt.Errorf("a %v is not a %v", a.Kind, b.Kind)
	}
	out := Fact{Kind: a.Kind, Type: a.Type}
	if out.Type == dtype.Invalid {
		out.Type = b.Type
	}
	if b.Type != dtype.Invalid && out.Type != b.Type {
		return Fact{}, fmt.Errorf("%v is not %v", a.Type, b.Type)
	}
	switch {
	case a.Elem == nil || b.Elem == nil:
		out.Elem = a.Elem
		if out.Elem == nil {
			out.Elem = b.Elem
		}
	default:
		e, err := Join(*a.Elem, *b.Elem)
		if err != nil {
			return Fact{}, err
		}
		out.Elem = &e
	}
	if a.Shape != nil && len(a.Shape) == len(b.Shape) {
		out.Shape = a.Shape.Clone()
		for i, d := range b.Shape {
			if out.Shape[i] != d {
				out.Shape[i] = Unknown
			}
		}
	}
	return out, nil
}

// sameFact reports whether two facts say the same of type and shape.
func sameFact(a, b Fact) bool {
	if a.Kind != b.Kind || a.Type != b.Type || (a.Shape == nil) != (b.Shape == nil) || !slices.Equal(a.Shape, b.Shape) {
		return false
	}
	if a.Elem == nil || b.Elem == nil {
		return a.Elem == b.Elem
	}
	return sameFact(*a.Elem, *b.Elem)
}

// shapeless forgets the shapes of a fact, and its values.
func shapeless(f Fact) Fact {
	out := Fact{Kind: f.Kind, Type: f.Type}
	if f.Elem != nil {
		e := shapeless(*f.Elem)
		out.Elem = &e
	}
	return out
}

// invariant finds what holds of carried values before every trip, from what is
// known of them before the first: infer returns what is known of them after a
// trip, and of the body's other outputs.
func (b Bodies) invariant(start []Fact, infer func([]Fact) (carried, rest []Fact, err error)) (carried, rest []Fact, err error) {
	cur := make([]Fact, len(start))
	for i, f := range start {
		if cur[i], err = Join(f, f); err != nil {
			return nil, nil, err
		}
		if b.Deep {
			cur[i] = shapeless(f)
		}
	}
	const rounds = 4
	for round := range rounds {
		out, rest, err := infer(cur)
		if err != nil {
			return nil, nil, err
		}
		same := true
		next := make([]Fact, len(cur))
		for i := range cur {
			if next[i], err = Join(cur[i], out[i]); err != nil {
				return nil, nil, fmt.Errorf("the value carried at %d changes: %w", i, err)
			}
			if !sameFact(next[i], cur[i]) {
				same = false
				if round == rounds-3 || b.Deep {
					next[i] = shapeless(next[i])
				}
			}
		}
		if !same && round == rounds-2 {
			// One change leads to the next: no shape is sure to last.
			for i := range next {
				next[i] = shapeless(next[i])
			}
		}
		if same || round == rounds-1 {
			return next, rest, nil
		}
		cur = next
	}
	panic("unreachable")
}

// String returns what a value of that kind is called.
func (k Kind) String() string {
	return [...]string{"tensor", "sequence", "optional"}[k]
}

// truth returns the value of a condition.
func truth(d Datum, what string) (bool, error) {
	t := d.Tensor
	if t == nil || t.Type() != dtype.Bool || t.Len() != 1 {
		return false, fmt.Errorf("%s is no Bool of one element", what)
	}
	return t.Bytes()[0] != 0, nil
}

// wantCondition checks the fact of a condition.
func wantCondition(f Fact, what string) error {
	if f.Kind != TensorKind || f.Type != dtype.Bool && f.Type != dtype.Invalid {
		return fmt.Errorf("%s is %v, want bool", what, f.Type)
	}
	if n, ok := f.Shape.Count().Int(); f.Shape != nil && ok && n != 1 {
		return fmt.Errorf("%s has %d elements, want one", what, n)
	}
	return nil
}

// bytesOf returns the bytes that a value takes, an estimate for strings.
func bytesOf(d Datum) int64 {
	const header = 64
	n := int64(header)
	if t := d.Tensor; t != nil && t.Storage() != nil {
		n += t.Storage().Len()
	} else if t != nil {
		n += int64(len(t.Strings())) * header
	}
	for _, e := range d.Seq {
		n += bytesOf(e)
	}
	return n
}

// withinLooped returns an error if loops hold more than they may.
func withinLooped(n int64) error {
	if n > maxLooped {
		return fmt.Errorf("the values that it gathers or carries take more than %d bytes", int64(maxLooped))
	}
	return nil
}

// stack joins tensors of one shape along a new first axis; of none, it returns
// an empty tensor of what f tells, unknown dimensions being 0.
func stack(ts []*tensor.Tensor, f Fact) (*tensor.Tensor, error) {
	if len(ts) == 0 {
		shape := []int{0}
		for _, d := range f.Shape {
			n, _ := d.Int()
			shape = append(shape, n)
		}
		if f.Type == dtype.Invalid {
			return nil, errors.New("the type of an output that nothing was gathered for is not known")
		}
		c, err := canvasOf(f.Type, shape...)
		if err != nil {
			return nil, err
		}
		return c.done(), nil
	}
	in := make([]Datum, len(ts))
	for i, t := range ts {
		if !slices.Equal(t.Shape(), ts[0].Shape()) || t.Type() != ts[0].Type() {
			return nil, fmt.Errorf("what it gathers is %v and then %v", ts[0], t)
		}
		one, err := t.Reshape(append([]int{1}, t.Shape()...)...)
		if err != nil {
			return nil, err
		}
		in[i] = Datum{Tensor: one}
	}
	out, err := New[Concat]().Eval(in)
	if err != nil {
		return nil, err
	}
	return out[0].Tensor, nil
}
