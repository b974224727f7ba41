package op

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Expander is an operator that is defined in terms of others, as the
// specification's functions are.
type Expander interface {
	Evaluator
	// Expand returns the operators that stand for it where that much is known
	// of its inputs. An error says what more would have to be known.
	Expand(in []Fact) (*Function, error)
}

// Function is a list of calls. Values go by number: first the inputs, then, in
// the order in which they are made, constants and results.
type Function struct {
	Calls  []Call // in an order in which they can be run
	Consts map[int]*tensor.Tensor
	Out    []int // the outputs
}

// Call applies an operator to values, Absent standing for one that is left out,
// and makes one value.
type Call struct {
	Op  Evaluator
	In  []int
	Out int
}

// Absent stands for an input that is left out.
const Absent = -1

// Prune drops the calls that no output needs for which wanted holds, and the
// other outputs become Absent.
func (f *Function) Prune(wanted func(i int) bool) {
	needed := map[int]bool{}
	for i, v := range f.Out {
		if !wanted(i) {
			f.Out[i] = Absent
			continue
		}
		needed[v] = true
	}
	for i := len(f.Calls) - 1; i >= 0; i-- {
		c := f.Calls[i]
		if !needed[c.Out] {
			f.Calls = slices.Delete(f.Calls, i, i+1)
			continue
		}
		for _, v := range c.In {
			needed[v] = true
		}
	}
}

// evalFunction is Eval of an operator with the given number of outputs.
func evalFunction(o Expander, in []Datum, outs int) ([]Datum, error) {
	if _, err := prepare(o, in, outs); err != nil {
		return nil, err
	}
	f, err := o.Expand(factsOf(in))
	if err != nil {
		return nil, err
	}
	args := make([]*tensor.Tensor, len(in))
	for i := range in {
		args[i] = arg(in, i)
	}
	res, err := f.run(args)
	return Of(res...), err
}

// run computes the outputs. Values are dropped after their last use.
func (f *Function) run(in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	env := map[int]*tensor.Tensor{}
	for i, t := range in {
		env[i] = t
	}
	for v, t := range f.Consts {
		env[v] = t
	}
	last := map[int]int{}
	for i, c := range f.Calls {
		for _, v := range c.In {
			last[v] = i
		}
	}
	for i, c := range f.Calls {
		args := make([]Datum, len(c.In))
		for k, v := range c.In {
			if v != Absent {
				args[k].Tensor = env[v]
			}
		}
		out, err := c.Op.Eval(args)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Op.Name(), err)
		}
		env[c.Out] = out[0].Tensor
		for _, v := range c.In {
			if last[v] == i && !slices.Contains(f.Out, v) {
				delete(env, v)
			}
		}
	}
	res := make([]*tensor.Tensor, len(f.Out))
	for i, v := range f.Out {
		res[i] = env[v]
	}
	return res, nil
}

// maxFolded is the most elements of a result that a builder computes itself.
const maxFolded = 1 << 16

// builder makes a Function. What depends on constants and known sizes alone
// becomes a constant. The first error stays in err, and later calls do nothing.
type builder struct {
	f     Function
	facts []Fact // of all values
	err   error
}

func newBuilder(in []Fact) *builder {
	return &builder{f: Function{Consts: map[int]*tensor.Tensor{}}, facts: slices.Clone(in)}
}

// constant adds a constant.
func (b *builder) constant(t *tensor.Tensor) int {
	b.facts = append(b.facts, ConstFact(t))
	b.f.Consts[len(b.facts)-1] = t
	return len(b.facts) - 1
}

// ints adds a constant vector of integers.
func (b *builder) ints(v ...int) int {
	w := make([]int64, len(v))
	for i, n := range v {
		w[i] = int64(n)
	}
	return b.constant(tensor.FromSlice(w, len(w)))
}

// number adds a constant scalar.
func (b *builder) number(typ dtype.Type, v float64) int {
	t, err := Convert(tensor.Scalar(v), typ)
	if err != nil {
		b.fail(err)
		return 0
	}
	return b.constant(t)
}

func (b *builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// call applies o, which has one output, and returns the result.
func (b *builder) call(o Evaluator, in ...int) int {
	if b.err != nil {
		return 0
	}
	facts := make([]Fact, len(in))
	known := true
	args := make([]Datum, len(in))
	for i, v := range in {
		if v == Absent {
			continue
		}
		facts[i] = b.facts[v]
		args[i].Tensor = b.f.Consts[v]
		known = known && args[i].Tensor != nil
	}
	out, err := o.Infer(facts, 1)
	if err != nil {
		b.fail(fmt.Errorf("%s: %w", o.Name(), err))
		return 0
	}
	if t := folded(out[0]); t != nil {
		return b.constant(t)
	}
	if n, ok := out[0].Shape.Count().Int(); known && ok && n <= maxFolded {
		res, err := o.Eval(args)
		if err != nil {
			b.fail(fmt.Errorf("%s: %w", o.Name(), err))
			return 0
		}
		return b.constant(res[0].Tensor)
	}
	out[0].Const = nil
	b.facts = append(b.facts, out[0])
	v := len(b.facts) - 1
	b.f.Calls = append(b.f.Calls, Call{o, in, v})
	return v
}

// folded returns the value of a shape tensor whose elements are all known.
func folded(f Fact) *tensor.Tensor {
	dims, ok := f.Numbers()
	shape, known := f.Shape.Ints()
	if !ok || !known || f.Type != dtype.Int64 {
		return nil
	}
	v := make([]int64, len(dims))
	for i, d := range dims {
		v[i] = int64(d)
	}
	return tensor.FromSlice(v, shape...)
}

// length returns the size of an axis as a scalar.
func (b *builder) length(x, axis int) int {
	o := New[ShapeOf]()
	o.Start, o.End = axis, Some(axis+1)
	if axis == -1 {
		o.End = Opt[int]{}
	}
	return b.call(New[Squeeze](), b.call(o, x), b.ints(0))
}

// count returns 0, 1, … n-1 for a scalar n.
func (b *builder) count(n int) int {
	return b.call(New[Range](), b.constant(tensor.Scalar(int64(0))), n, b.constant(tensor.Scalar(int64(1))))
}

func (b *builder) reshape(x int, shape ...int) int {
	return b.call(New[Reshape](), x, b.ints(shape...))
}

func (b *builder) unsqueeze(x int, axes ...int) int {
	return b.call(New[Unsqueeze](), x, b.ints(axes...))
}

func (b *builder) transpose(x int, perm ...int) int {
	o := New[Transpose]()
	o.Perm = perm
	return b.call(o, x)
}

func (b *builder) cast(x int, to dtype.Type) int {
	if b.err != nil || b.facts[x].Type == to {
		return x
	}
	o := New[Cast]()
	o.To = to
	return b.call(o, x)
}

func (b *builder) concat(axis int, x ...int) int {
	o := New[Concat]()
	o.Axis = axis
	return b.call(o, x...)
}

// slice takes every step-th element of an axis from start on, before end.
func (b *builder) slice(x, axis, start, end, step int) int {
	return b.call(New[Slice](), x, b.ints(start), b.ints(end), b.ints(axis), b.ints(step))
}

// done returns the function with its outputs.
func (b *builder) done(out ...int) (*Function, error) {
	b.f.Out = out
	return &b.f, b.err
}
