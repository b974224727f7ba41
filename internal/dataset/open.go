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
)

// npyMagic and zipMagic are what the files of NumPy begin with.
var (
	npyMagic = []byte("\x93NUMPY")
	zipMagic = []byte("PK\x03\x04")
)

// Open finds the samples in the given files: .npz archives with one array for
// each input (and maybe "labels" or "targets"), .npy arrays, .jsonl and .csv
// with a sample a line, pictures, tensors of ONNX (.pb); folders of arrays, of
// pictures, of folders of pictures that are classes each, or of ONNX test
// data; and, as "@FILE", lists of all those. Files of a folder stand in the
// order of their names. Several paths for one input are concatenated.
//
// An array of one dimension more than the input counts samples along axis 0;
// one of as many dimensions is cut along axis 0 by the model's batch, a
// remainder being dropped with a warning.
func Open(paths []Path, spec Spec) (*Dataset, error) {
	if len(paths) == 0 {
		return nil, diag.Usagef("no data is given").Note("--data takes .npz, .npy, .jsonl, .csv, a folder of arrays or pictures, or @list.txt")
	}
	d := &Dataset{spec: spec}
	for _, in := range spec.Inputs {
		d.columns = append(d.columns, column{in: in, fill: spec.Fill[in.Name]})
	}
	if len(d.columns) > 0 && !slices.ContainsFunc(d.columns, func(c column) bool { return c.fill == nil }) {
		return nil, diag.Usagef("every input has a constant or a state, so that nothing of the data would be used").
			Note("inputs: %s", strings.Join(inputNames(spec), ", ")).Note("leave out --fill or --state for the input that the data holds")
	}
	o := opener{d: d}
	for _, p := range paths {
		if err := tensor.Guard(func() error { return o.path(p) }); err != nil {
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
	// classFolder are the folders that were classes.
	classFolder []string
}

func (o *opener) path(p Path) error {
	if strings.HasPrefix(p.Path, "@") {
		return o.list(p)
	}
	info, err := os.Stat(p.Path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		if isPicture(p.Path) {
			return o.picture(p)
		}
		return o.file(p)
	}
	entries, err := os.ReadDir(p.Path)
	if err != nil {
		return err
	}
	for _, kind := range []func(Path, []os.DirEntry) (bool, error){o.testSets, o.arrayFolder, o.pictureFolder} {
		if found, err := kind(p, entries); found || err != nil {
			return err
		}
	}
	return &diag.Error{Msg: p.Path + ": the folder holds no .npy or .npz files", Notes: []string{"nor pictures (" + strings.Join(pictureEndings, " ") + "), folders of them, or test_data_set_0/input_0.pb"}}
}

// arrayFolder adds the arrays of a folder, in the order of their names. It
// reports false where there are none, or pictures beside them.
func (o *opener) arrayFolder(p Path, entries []os.DirEntry) (found bool, err error) {
	if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return !e.IsDir() && isPicture(e.Name()) }) {
		return false, nil
	}
	for _, e := range entries {
		if ext := strings.ToLower(filepath.Ext(e.Name())); e.IsDir() || ext != ".npy" && ext != ".npz" {
			continue
		}
		found = true
		if err := o.file(Path{p.Name, filepath.Join(p.Path, e.Name())}); err != nil {
			return true, err
		}
	}
	return found, nil
}

// file opens one file. What it is, is told by its content where that can be,
// and by its ending where it is text.
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
	b := m.Bytes()
	switch ext := strings.ToLower(filepath.Ext(p.Path)); {
	case bytes.HasPrefix(b, npyMagic):
		o.d.files = append(o.d.files, m)
		return o.npy(p, m)
	case bytes.HasPrefix(b, zipMagic):
		o.d.files = append(o.d.files, m)
		return o.archive(p, m)
	case isPictureFile(b):
		m.Close()
		return o.picture(p)
	case ext == ".jsonl" || ext == ".ndjson":
		o.d.files = append(o.d.files, m)
		return o.jsonl(p, b)
	case ext == ".csv":
		o.d.files = append(o.d.files, m)
		return o.csv(p, b)
	case ext == ".pb":
		defer m.Close()
		return o.tensorFile(p, b)
	}
	m.Close()
	return &diag.FormatError{Where: p.Path, Msg: "not a NumPy array (.npy) or archive (.npz), nor a picture, .jsonl, .csv or .pb"}
}

func (o *opener) npy(p Path, m *tensor.Mapping) error {
	t, err := array(m, 0, int64(len(m.Bytes())))
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
}

// input returns the input called name.
func (o *opener) input(where, name string) (*Input, error) {
	i := o.d.column(name)
	if i < 0 {
		return nil, diag.Usagef("%s: the model has no input %q", where, name).Suggest(name, inputNames(o.d.spec), "inputs")
	}
	return &o.d.columns[i].in, nil
}

// lacks reports whether name is an input that the data must give.
func (o *opener) lacks(name string) bool {
	i := o.d.column(name)
	return i >= 0 && o.d.columns[i].fill == nil
}

// pad returns what fills the short rows of an input, or nil.
func (o *opener) pad(name string) *float64 {
	if v, ok := o.d.spec.Pad[name]; ok {
		return &v
	}
	return nil
}

func (o *opener) warn(w diag.Warning) { o.d.warn = append(o.d.warn, w) }

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

func inputNames(s Spec) []string {
	var out []string
	for _, in := range s.Inputs {
		out = append(out, in.Name)
	}
	return out
}

// add appends an array to the column of an input.
func (o *opener) add(name, where string, t *tensor.Tensor) error {
	in, err := o.input(where, name)
	if err != nil {
		return err
	}
	p, dropped, err := cut(*in, where, t)
	if err != nil {
		return err
	}
	if dropped > 0 {
		o.warn(leftOver(where, dropped, max(in.Shape[0], 1)))
	}
	o.narrows(*in, where, t)
	return o.append(name, p)
}

// narrows notes once that float64 data is rounded.
func (o *opener) narrows(in Input, where string, t *tensor.Tensor) {
	if t.Type() == dtype.Float64 && in.Type == dtype.Float32 && !o.narrowed {
		o.narrowed = true
		o.warn(diag.Warning{ID: "OCT010", Msg: where + ": float64 data is rounded to float32"})
	}
}

// append adds a part to the column of an input.
func (o *opener) append(name string, p part) error {
	c := &o.d.columns[o.d.column(name)]
	if n := len(c.parts); n > 0 {
		p.first = c.parts[n-1].first + c.parts[n-1].n
	}
	c.parts = append(c.parts, p)
	return nil
}

// addEntries adds the labels that stood beside the samples of a text.
func (o *opener) addEntries(where string, e labelEntries) error {
	if len(e) == 0 {
		return nil
	}
	l, err := e.labels(where, o.d.spec.ClassNames)
	if err != nil {
		return err
	}
	return o.labels.append(l)
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
		e := &diag.Error{Msg: "the data holds no samples"}
		for _, w := range o.d.warn {
			e.Note("%s", w.Msg)
		}
		return e
	}
	d.all = d.n
	if o.labels.none() {
		return nil
	}
	if err := d.setLabels("the data", o.labels); err != nil {
		return err
	}
	d.warnEmptyClasses()
	return nil
}
