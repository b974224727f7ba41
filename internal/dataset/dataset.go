// Package dataset turns files into samples: for a Spec of what a model takes,
// it finds the arrays, cuts them into samples, checks and converts types, and
// finds the labels.
//
// Arrays stay in their mapped files; a sample is made when it is asked for. The
// package sees no model, only the Spec that its caller fills from one. Start at
// [Open] and [Dataset.At].
package dataset

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Input is one input of a model. A negative dimension is free.
type Input struct {
	Name  string
	Type  dtype.Type
	Shape []int
}

// Spec is what the samples are for.
type Spec struct {
	Inputs []Input
	// Fill gives constant values for inputs that the data lacks.
	Fill map[string]*tensor.Tensor
	// Pad gives the value that fills short rows of an input.
	Pad map[string]float64
	// ClassNames are the names that labels may have, by class.
	ClassNames []string
	// LabelOffset is added to labels that are numbers.
	LabelOffset int64
	// SkipBad leaves out broken pictures, and those without a label.
	SkipBad bool
	// Picture makes a sample of an input of the file of a picture, which it must
	// not keep; it must be safe for many goroutines. A usage error says that
	// the picture is in order and does not fit the input.
	Picture func(in Input, file []byte) (*tensor.Tensor, error)
}

// Path is a file or folder of data, for one input where Name is given.
type Path struct{ Name, Path string }

// ParsePath reads "NAME=PATH" or "PATH"; the former only where NAME is an
// input.
func ParsePath(s string, spec Spec) Path {
	if name, path, ok := strings.Cut(s, "="); ok && slices.ContainsFunc(spec.Inputs, func(in Input) bool { return in.Name == name }) {
		return Path{name, path}
	}
	return Path{Path: s}
}

// Dataset is a sequence of samples. Its methods may be called from many
// goroutines.
type Dataset struct {
	spec    Spec
	columns []column // one for each input of the Spec
	n       int      // samples
	all     int      // samples of the files
	order   []int    // which of the files' samples are used; nil: all
	labels  labels
	warn    []diag.Warning
	files   []*tensor.Mapping
	roots   []*os.Root
}

// column is the data of one input.
type column struct {
	in    Input
	parts []part
	fill  *tensor.Tensor
}

// Len returns the number of samples.
func (d *Dataset) Len() int { return d.n }

// Warnings returns what opening the data left to say.
func (d *Dataset) Warnings() []diag.Warning { return d.warn }

// Warn adds something to say about the data.
func (d *Dataset) Warn(w ...diag.Warning) { d.warn = append(d.warn, w...) }

// Pictures returns the inputs whose samples are made of pictures.
func (d *Dataset) Pictures() []Input {
	var out []Input
	for _, c := range d.columns {
		if slices.ContainsFunc(c.parts, func(p part) bool { _, ok := p.source.(*pictures); return ok }) {
			out = append(out, c.in)
		}
	}
	return out
}

// IsText reports whether samples of an input are made of lines of text.
func (d *Dataset) IsText(input string) bool {
	i := d.column(input)
	return i >= 0 && slices.ContainsFunc(d.columns[i].parts, func(p part) bool { _, ok := p.source.(*textRows); return ok })
}

// Close releases the files; samples must not be used any more.
func (d *Dataset) Close() error {
	var err error
	for _, r := range d.roots {
		if e := r.Close(); err == nil {
			err = e
		}
	}
	for _, m := range d.files {
		if e := m.Close(); err == nil {
			err = e
		}
	}
	return err
}

// At returns the inputs of sample i, which alias the files where the types
// agree.
func (d *Dataset) At(i int) (map[string]*tensor.Tensor, error) {
	if i < 0 || i >= d.n {
		panic(fmt.Sprintf("dataset: sample %d of %d", i, d.n))
	}
	if d.order != nil {
		i = d.order[i]
	}
	out := make(map[string]*tensor.Tensor, len(d.columns))
	for _, c := range d.columns {
		if c.fill != nil {
			out[c.in.Name] = c.fill
			continue
		}
		p := c.part(i)
		t, err := p.sample(i - p.first)
		if err == nil {
			t, err = convert(t, c.in.Type)
		}
		if err != nil {
			if p.where == "" {
				return nil, err
			}
			return nil, fmt.Errorf("%s: sample %d: input %q: %w", p.where, i, c.in.Name, err)
		}
		out[c.in.Name] = t
	}
	return out, nil
}

// part returns the part that holds sample i: the last that begins at or before
// it.
func (c *column) part(i int) *part {
	k, _ := slices.BinarySearchFunc(c.parts, i+1, func(p part, i int) int { return p.first - i })
	return &c.parts[k-1]
}

// column returns the place of an input's column, or -1.
func (d *Dataset) column(name string) int {
	return slices.IndexFunc(d.columns, func(c column) bool { return c.in.Name == name })
}

// Begins reports whether sample i is the first of its path or file.
func (d *Dataset) Begins(i int) bool {
	if d.order != nil {
		i = d.order[i]
	}
	for _, c := range d.columns {
		if c.fill == nil {
			return c.part(i).first == i
		}
	}
	return true
}

// Spread returns the indices of n samples spread evenly over all of them, in
// order: all of them where n is 0 or more than there are.
func (d *Dataset) Spread(n int) []int {
	if n <= 0 || n > d.n {
		n = d.n
	}
	out := make([]int, n)
	for i := range out {
		out[i] = i * d.n / n
	}
	return out
}

// convert gives t the type that the model takes: integers where every value
// fits, float64 rounded to float32, nothing else.
func convert(t *tensor.Tensor, to dtype.Type) (*tensor.Tensor, error) {
	from := t.Type()
	switch {
	case from == to:
		return t, nil
	case (from.IsInteger() || from == dtype.Bool) && (to.IsInteger() || to == dtype.Bool):
		vals, _ := tensor.Ints(t)
		lo, hi := to.Range()
		if to == dtype.Bool {
			lo, hi = 0, 1
		}
		for _, v := range vals {
			if v < lo || v > hi {
				return nil, fmt.Errorf("value %d does not fit into %v", v, to)
			}
		}
		return tensor.FromInts(to, vals, t.Shape()...), nil
	case from == dtype.Float64 && to == dtype.Float32:
		src := tensor.Data[float64](t)
		out := tensor.New(to, t.Shape()...)
		dst := tensor.Data[float32](out)
		for i, v := range src {
			dst[i] = float32(v)
		}
		return out, nil
	}
	return nil, fmt.Errorf("the data is %v, the model takes %v; convert it, e.g. numpy.save(..., x.astype(%q))", from, to, to)
}
