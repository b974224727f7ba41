package explain

import (
	"context"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// kept holds copies of values of one sample, in the memory that those of the
// sample before had where they are as large.
type kept map[string]*tensor.Tensor

// store copies t.
func (k kept) store(name string, t *tensor.Tensor) {
	src := t.Bytes()
	old := k[name]
	if old == nil || old.Type() != t.Type() || !slices.Equal(old.Shape(), t.Shape()) || len(old.Bytes()) != len(src) || len(src) == 0 {
		k[name] = t.Clone()
		return
	}
	copy(old.Bytes(), src) // on the heap, and known to nobody else
}

// table tells the real numbers of 8-bit integers that have one scale: by code,
// as a byte. ok is false where it is not that simple.
func (c *class) table() (codes [256]float32, ok bool) {
	if c.back == nil {
		return codes, false
	}
	p, ok, err := ir.ParamsOf(c.back)
	if err != nil || !ok || !p.IsPerTensor() || p.Type != dtype.Uint8 && p.Type != dtype.Int8 || c.seen.Type != dtype.Float32 {
		return codes, false
	}
	for i := range codes {
		v := int64(i)
		if p.Type == dtype.Int8 {
			v = int64(int8(i))
		}
		codes[i] = float32(v-p.Zero(0)) * p.Scale[0]
	}
	return codes, true
}

// reader gives what the nodes behind a value of the quantized graph see, for
// what its integers are, sample by sample.
type reader struct {
	class *class
	codes [256]float32
	quick bool
	last  *tensor.Tensor
}

func newReader(c *class) *reader {
	r := &reader{class: c}
	r.codes, r.quick = c.table()
	return r
}

// floats returns the value, which is valid until the next one, for a tensor of
// what is watched of it.
func (r *reader) floats(t *tensor.Tensor) (*tensor.Tensor, error) {
	if !r.quick || t == nil || t.Type().Bits() != 8 {
		return r.class.floats(t)
	}
	if r.last == nil || !slices.Equal(r.last.Shape(), t.Shape()) {
		r.last = tensor.New(dtype.Float32, t.Shape()...)
	}
	out := tensor.Data[float32](r.last)
	for i, b := range t.Bytes() {
		out[i] = r.codes[b]
	}
	return r.last, nil
}

// runner runs a program with one output, again and again, into the memory of
// the run before where inputs have the same shapes.
type runner struct {
	program *runtime.Program
	shapes  [][]int // of the inputs, in their order
	out     runtime.Tensors
}

// run returns the output of the given name, which is valid until the next run.
// names are those of the inputs.
func (r *runner) run(ctx context.Context, names []string, in runtime.Tensors, name string) (*tensor.Tensor, error) {
	same := len(r.out) > 0
	for i, n := range names {
		if len(r.shapes) <= i {
			r.shapes = append(r.shapes, nil)
		}
		if shape := in[n].Shape(); !slices.Equal(r.shapes[i], shape) {
			r.shapes[i], same = slices.Clone(shape), false
		}
	}
	if same && r.program.RunInto(ctx, in, r.out) == nil {
		return r.out[name], nil
	}
	out, err := r.program.Run(ctx, in) // shapes that depend on values, or the error
	r.out = out
	return out[name], err
}
