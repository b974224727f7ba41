package dataset

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// source is where the samples of one input come from, counted from 0.
type source interface {
	// sample returns sample i, which may alias a mapped file. It may be called
	// by many goroutines.
	sample(i int) (*tensor.Tensor, error)
}

// part is a source for samples first to first+n of one input.
type part struct {
	// where stands before errors of the source; "" where they say themselves
	// which file and line they come from.
	where string
	source
	first int
	n     int
}

// arrayRows is an array that is cut along axis 0.
type arrayRows struct {
	array *tensor.Tensor
	rows  int // that make a sample; 0: axis 0 counts samples
}

func (a arrayRows) sample(i int) (*tensor.Tensor, error) {
	if a.rows > 0 {
		return a.array.Slice(i*a.rows, (i+1)*a.rows), nil
	}
	return a.array.Slice(i, i+1).Reshape(a.array.Shape()[1:]...)
}

// wholeArray is an array that is one sample.
type wholeArray struct{ *tensor.Tensor }

func (a wholeArray) sample(int) (*tensor.Tensor, error) { return a.Tensor, nil }

// cut says how an array holds samples of an input.
func cut(in Input, where string, t *tensor.Tensor) (p part, dropped int, err error) {
	shape := t.Shape()
	p = part{where: where}
	switch {
	case len(shape) == len(in.Shape)+1 && fits(shape[1:], in.Shape):
		p.n, p.source = shape[0], arrayRows{array: t}
		return p, 0, nil
	case len(shape) == len(in.Shape) && len(shape) > 0 && fits(shape[1:], in.Shape[1:]):
		rows := max(in.Shape[0], 1)
		p.n, p.source = shape[0]/rows, arrayRows{t, rows}
		return p, shape[0] % rows, nil
	}
	return part{}, 0, misfit(in, where, shape).Note("axis 0 counts samples, or rows of the model's batch")
}

// fits reports whether a shape is what is wanted; negative dimensions are free.
func fits(got, want []int) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range want {
		if want[i] >= 0 && got[i] != want[i] {
			return false
		}
	}
	return true
}

func misfit(in Input, where string, shape []int) *diag.Error {
	return diag.Usagef("%s: an array of shape %v does not fit input %q of shape %s", where, shape, in.Name, shapeText(in.Shape))
}

// leftOver is the warning about rows that do not fill a batch.
func leftOver(where string, dropped, batch int) diag.Warning {
	return diag.Warning{ID: "OCT009", Msg: fmt.Sprintf("%s: %d rows are left over after batches of %d and are dropped", where, dropped, batch)}
}
