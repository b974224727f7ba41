package dataset

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/npy"
)

// npyMagic and zipMagic are what the files of NumPy begin with.
var (
	npyMagic = []byte("\x93NUMPY")
	zipMagic = []byte("PK\x03\x04")
)

// Open finds the samples in the given files: .npz archives with one array for
// each input (and maybe "labels"), .npy arrays, and folders of either, one
// sample a file, in the order of their names. Several paths for one input are
// concatenated.
//
// An array of one dimension more than the input counts samples along axis 0;
// one of as many dimensions is cut along axis 0 by the model's batch, a
// remainder being dropped with a warning.
func Open(paths []Path, spec Spec) (*Dataset, error) {
	if len(paths) == 0 {
		return nil, diag.Usagef("no data is given").Note("--data takes .npz, .npy, or a folder of either")
	}
	d := &Dataset{spec: spec}
	for _, in := range spec.Inputs {
		d.columns = append(d.columns, column{in: in, fill: spec.Fill[in.Name]})
	}
	o := opener{d: d}
	for _, p := range paths {
		if err := o.path(p); err != nil {
			d.Close()
			return nil, err
		}
	}
	if err := o.finish(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

type opener struct {
	d        *Dataset
	labels   labels
	narrowed bool
}

func (o *opener) path(p Path) error {
	info, err := os.Stat(p.Path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return o.file(p)
	}
	entries, err := os.ReadDir(p.Path)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		if ext := strings.ToLower(filepath.Ext(e.Name())); e.IsDir() || ext != ".npy" && ext != ".npz" {
			continue
		}
		found = true
		if err := o.file(Path{p.Name, filepath.Join(p.Path, e.Name())}); err != nil {
			return err
		}
	}
	if !found {
		return &diag.Error{Msg: p.Path + ": the folder holds no .npy or .npz files"}
	}
	return nil
}

func (o *opener) file(p Path) error {
	f, err := os.Open(p.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	m, err := tensor.Map(f)
	if err != nil {
		return err
	}
	o.d.files = append(o.d.files, m)
	b := m.Bytes()
	switch {
	case bytes.HasPrefix(b, npyMagic):
		t, err := array(m, 0, int64(len(b)))
		if err != nil {
			return fmt.Errorf("%s: %w", p.Path, err)
		}
		name := p.Name
		if name == "" {
			if name, err = o.onlyInput(p.Path); err != nil {
				return err
			}
		}
		return o.add(name, p.Path, t)
	case bytes.HasPrefix(b, zipMagic):
		return o.archive(p, m)
	}
	return &diag.FormatError{Where: p.Path, Msg: "not a NumPy array (.npy) or archive (.npz)"}
}

// onlyInput returns the input that an array without a name is for.
func (o *opener) onlyInput(path string) (string, error) {
	var open []string
	for _, c := range o.d.columns {
		if c.fill == nil {
			open = append(open, c.in.Name)
		}
	}
	if len(open) != 1 {
		return "", diag.Usagef("%s: the model has %d inputs, and the file says not for which it is", path, len(open)).
			Note("give --data NAME=%s; inputs: %s", path, strings.Join(open, ", "))
	}
	return open[0], nil
}

func (o *opener) archive(p Path, m *tensor.Mapping) error {
	arch, err := npy.OpenArchive(readerAt(m.Bytes()), int64(len(m.Bytes())), npy.DefaultLimit)
	if err != nil {
		return fmt.Errorf("%s: %w", p.Path, err)
	}
	var names []string
	matched := false
	for _, mem := range arch.Members {
		names = append(names, mem.Name)
	}
	for _, mem := range arch.Members {
		name := mem.Name
		isInput := slices.ContainsFunc(o.d.columns, func(c column) bool { return c.in.Name == name && c.fill == nil })
		if p.Name != "" {
			isInput = name == p.Name
		}
		// The only array of an archive is for the only input, whatever its name.
		if !isInput && !slices.Contains(labelNames[:2], name) && only(names) == name && p.Name == "" {
			if one, err := o.onlyInput(p.Path); err == nil {
				name, isInput = one, true
			}
		}
		if !isInput && !slices.Contains(labelNames[:2], name) {
			continue
		}
		t, err := memberArray(arch, mem, m)
		if err != nil {
			return fmt.Errorf("%s: array %q: %w", p.Path, mem.Name, err)
		}
		where := p.Path + ":" + mem.Name
		if isInput {
			matched = true
			if err := o.add(name, where, t); err != nil {
				return err
			}
			continue
		}
		l, err := labelArray(where, t)
		if err == nil {
			err = o.labels.append(l)
		}
		if err != nil {
			return err
		}
	}
	if !matched {
		return diag.Usagef("%s: no array is named as an input of the model", p.Path).
			Note("arrays: %s", strings.Join(names, ", ")).Note("inputs: %s", inputNames(o.d.spec))
	}
	return nil
}

// only returns the single name that is not the labels', or "".
func only(names []string) string {
	out := ""
	for _, n := range names {
		if slices.Contains(labelNames[:2], n) {
			continue
		}
		if out != "" {
			return ""
		}
		out = n
	}
	return out
}

func inputNames(s Spec) string {
	var out []string
	for _, in := range s.Inputs {
		out = append(out, in.Name)
	}
	return strings.Join(out, ", ")
}

// add appends an array to the column of an input.
func (o *opener) add(name, where string, t *tensor.Tensor) error {
	i := slices.IndexFunc(o.d.columns, func(c column) bool { return c.in.Name == name })
	if i < 0 {
		return diag.Usagef("%s: the model has no input %q", where, name).Note("inputs: %s", inputNames(o.d.spec))
	}
	c := &o.d.columns[i]
	p, dropped, err := cut(c.in, where, t)
	if err != nil {
		return err
	}
	if dropped > 0 {
		o.d.warn = append(o.d.warn, diag.Warning{ID: "OCT009", Msg: fmt.Sprintf("%s: %d rows are left over after batches of %d and are dropped", where, dropped, p.rows)})
	}
	if t.Type() == dtype.Float64 && c.in.Type == dtype.Float32 && !o.narrowed {
		o.narrowed = true
		o.d.warn = append(o.d.warn, diag.Warning{ID: "OCT010", Msg: where + ": float64 data is rounded to float32"})
	}
	if n := len(c.parts); n > 0 {
		p.first = c.parts[n-1].first + c.parts[n-1].n
	}
	c.parts = append(c.parts, p)
	return nil
}

// cut says how an array holds samples of an input.
func cut(in Input, where string, t *tensor.Tensor) (p part, dropped int, err error) {
	shape := t.Shape()
	fits := func(got, want []int) bool {
		for i := range want {
			if want[i] >= 0 && got[i] != want[i] {
				return false
			}
		}
		return true
	}
	bad := func() (part, int, error) {
		return part{}, 0, diag.Usagef("%s: an array of shape %v does not fit input %q of shape %s", where, shape, in.Name, shapeText(in.Shape)).
			Note("axis 0 counts samples, or rows of the model's batch")
	}
	p = part{where: where, array: t}
	switch {
	case len(shape) == len(in.Shape)+1:
		if !fits(shape[1:], in.Shape) {
			return bad()
		}
		p.n = shape[0]
		return p, 0, nil
	case len(shape) == len(in.Shape) && len(shape) > 0:
		if !fits(shape[1:], in.Shape[1:]) {
			return bad()
		}
		p.rows = max(in.Shape[0], 1)
		p.n = shape[0] / p.rows
		return p, shape[0] % p.rows, nil
	}
	return bad()
}

func shapeText(shape []int) string {
	parts := make([]string, len(shape))
	for i, d := range shape {
		parts[i] = fmt.Sprint(d)
		if d < 0 {
			parts[i] = "?"
		}
	}
	return "[" + strings.Join(parts, " ") + "]"
}

func (o *opener) finish() error {
	d := o.d
	first := ""
	for _, c := range d.columns {
		if c.fill != nil {
			continue
		}
		if len(c.parts) == 0 {
			return diag.Usagef("the data has nothing for input %q", c.in.Name).
				Note("add an array of that name, --data %s=PATH, or --fill %s=VALUE", c.in.Name, c.in.Name)
		}
		last := c.parts[len(c.parts)-1]
		n := last.first + last.n
		if first == "" {
			first, d.n = c.in.Name, n
		} else if n != d.n {
			return diag.Usagef("input %q has %d samples and input %q has %d", first, d.n, c.in.Name, n)
		}
	}
	if d.n == 0 {
		return &diag.Error{Msg: "the data holds no samples"}
	}
	if !o.labels.none() {
		return d.setLabels("the data", o.labels)
	}
	return nil
}
