package dataset

import (
	"fmt"
	"os"
	"slices"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// labelNames are the names under which labels ride along: arrays of an
// archive, keys of .jsonl, columns of .csv.
var labelNames = []string{"labels", "targets", "label", "target"}

// labels is what the samples should give: a class each, or a row of numbers
// each. At most one of the two is set.
type labels struct {
	classes []int64
	targets [][]float32
	// real is where the numbers come from and their type, for the error of
	// somebody who wants classes.
	real string
	// named says that classes were found by name: no offset is added.
	named bool
}

func (l *labels) len() int { return len(l.classes) + len(l.targets) }

func (l *labels) none() bool { return l.classes == nil && l.targets == nil }

// Labels returns a class index for each sample, or nil if there are none.
func (d *Dataset) Labels() []int64 { return d.labels.classes }

// Targets returns the numbers that each sample should give, or nil if there
// are none: labels that are floats, one row a sample.
func (d *Dataset) Targets() [][]float32 { return d.labels.targets }

// NamedLabels reports whether labels were found by the names of classes.
func (d *Dataset) NamedLabels() bool { return d.labels.named }

// Classes is Labels for a caller that needs them: labels that are floats are
// an error, which names their source. Without any labels it returns nil.
func (d *Dataset) Classes() ([]int64, error) {
	if d.labels.targets != nil {
		return nil, diag.Usagef("%s, want integers", d.labels.real).Note("a class is a whole number that counts from 0")
	}
	return d.labels.classes, nil
}

// SetLabels gives each sample its class; where names their source in errors.
func (d *Dataset) SetLabels(where string, classes []int64) error {
	return d.setLabels(where, labels{classes: classes})
}

// setLabels gives the labels to the samples as they stand in their files.
func (d *Dataset) setLabels(where string, l labels) error {
	if n := l.len(); n != d.n {
		return diag.Usagef("%s has %d labels for %d samples", where, n, d.n)
	}
	if offset := d.spec.LabelOffset; offset != 0 && !l.named {
		l.classes = slices.Clone(l.classes)
		for i := range l.classes {
			l.classes[i] += offset
		}
	}
	d.labels = l
	return nil
}

// append adds the labels of one source to those of the sources before it.
func (l *labels) append(more labels) error {
	if l.classes != nil && more.targets != nil || l.targets != nil && more.classes != nil {
		real := l.real + more.real
		return diag.Usagef("%s, and other labels of the data are integers", real)
	}
	if l.classes != nil && more.named != l.named {
		return diag.Usagef("some labels of the data are names of classes, others numbers")
	}
	l.named = more.named
	l.classes = append(l.classes, more.classes...)
	l.targets = append(l.targets, more.targets...)
	if l.real == "" {
		l.real = more.real
	}
	return nil
}

// labelArray reads labels from an array: integers are classes, one each;
// floats are targets, one row of axis 0 a sample.
func labelArray(where string, t *tensor.Tensor) (labels, error) {
	if v, ok := tensor.Ints(t); ok {
		return labels{classes: v}, nil
	}
	real := fmt.Sprintf("%s: labels are %v", where, t.Type())
	v, err := convert(t, dtype.Float32)
	if err != nil {
		return labels{}, diag.Usagef("%s, want integers or floats", real)
	}
	rows, width := t.Len(), 1
	if t.Rank() > 1 {
		rows = t.Shape()[0]
		width = t.Len() / max(rows, 1)
	}
	x := tensor.Data[float32](v)
	l := labels{real: real, targets: make([][]float32, rows)}
	for i := range l.targets {
		l.targets[i] = x[i*width : (i+1)*width : (i+1)*width]
	}
	return l, nil
}

// LoadLabels reads the labels of the samples from a file: an .npy array, lines
// of JSON or .csv, "file label", or a label a line. Where it names files, each
// sample gets the label of its own, else they stand in the samples' order.
func (d *Dataset) LoadLabels(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	d.order, d.n = nil, d.all
	files := d.fileIndex()
	l, e, err := parseLabels(path, b, d.spec.ClassNames, files.has)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(e, func(e labelEntry) bool { return e.file != "" }) {
		if l, err = d.byFile(path, l, e, files); err != nil {
			return err
		}
	}
	if err := d.setLabels(path, l); err != nil {
		return err
	}
	d.warnEmptyClasses()
	return nil
}
