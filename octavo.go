// Package octavo makes trained models small and fast by quantization for the
// runtime that the user names, shows on the user's own data what that cost and
// gained, and runs the result: no Python, no cgo.
//
//	m, err := octavo.Load("resnet18.onnx")
//	q, err := octavo.Quantize(ctx, m, octavo.Recipe{Mode: octavo.Static}, octavo.WithCalibration(samples))
//	v, err := octavo.Validate(ctx, m, []*octavo.Model{q}, samples)
//	err = q.Save("resnet18.int8.onnx")
//
// A [Model] is read from a file, which stays mapped and must not change while
// the model is in use. [Model.Compile] makes a [Program], which many
// goroutines may run at the same time.
package octavo

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/octavo-ml/octavo/internal/atomicfile"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/all"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Version is the release.
const Version = "0.1.0"

// Tensor is an array of numbers: element type, shape and row-major data.
type Tensor = tensor.Tensor

// Inputs are the tensors of one sample, or the outputs of one run, by name.
type Inputs = map[string]*Tensor

// Warning is something that the user should know and that stops nothing. Its
// ID is stable.
type Warning = diag.Warning

// NewTensor returns a tensor that aliases data. It panics if the shape does
// not hold as many elements.
func NewTensor[T tensor.Element](data []T, shape ...int) *Tensor {
	return tensor.FromSlice(data, shape...)
}

// Data returns the elements of t, whose type must be as wide as T. The slice
// may alias the tensor.
func Data[T tensor.Element](t *Tensor) []T { return tensor.Data[T](t) }

// Model is a graph that was read from a file or made from another one.
type Model struct {
	// Path is where the model was read from or last saved to.
	Path string
	// Warnings are what reading or making it left to say.
	Warnings []Warning
	// Report is set by Quantize.
	Report *Report

	src      *format.Source // nil for models that were made
	onDisk   bool           // Path is a file, with neighbours
	base     *Model         // whose file the constants lie in
	format   *format.Format
	graph    *ir.Graph
	prepared *ir.Graph // cache of Prepare with patterns
	looked   *ir.Graph // cache of lookedAt
	source   *Model    // cache of SourceIO where that is another model
	edges    []string  // how inputs and outputs of a matched model differ from the file's
	opset    int
	fixed    []string // the flags that Fix was given
	saved    []string // the files that Save wrote last
	raised   string   // by Save: from which opset to which, and what needs it

	prescribed []Prescribed // by Save
}

// Load reads the model at path. What the file is, is told by its content.
func Load(path string) (*Model, error) {
	src, err := format.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := load(src)
	if err == nil {
		m.onDisk = true
	}
	return m, err
}

// LoadBytes reads a model from memory; name is used in messages. b must not be
// changed while the model is in use.
func LoadBytes(name string, b []byte) (*Model, error) { return load(format.FromBytes(name, b)) }

// LoadFS reads the model called name from fsys.
func LoadFS(fsys fs.FS, name string) (*Model, error) {
	src, err := format.FromFS(fsys, name)
	if err != nil {
		return nil, err
	}
	return load(src)
}

func load(src *format.Source) (*Model, error) {
	m, err := decode(src)
	if err != nil {
		src.Close()
		return nil, err
	}
	return m, nil
}

func decode(src *format.Source) (*Model, error) {
	head := src.Main.Bytes()
	f, err := all.Sniff(src.Path, head[:min(len(head), 512)])
	if err != nil {
		return nil, err
	}
	var m *format.Model
	err = tensor.Guard(func() error {
		m, err = f.Decode(src)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &Model{Path: src.Path, Warnings: m.Warnings, src: src, format: f, graph: m.Graph}
	out.Warnings = append(out.Warnings, calibrationWarnings(out)...)
	return out, nil
}

// Close releases the file. Models made from this one, and programs compiled
// from them, must not be used after it.
func (m *Model) Close() error {
	if m.src == nil {
		return nil
	}
	return m.src.Close()
}

// Graph returns the text of the model's graph as it is quantized and run: one
// line a node, constants in full.
func (m *Model) Graph() (string, error) {
	g, err := m.prepare(false)
	if err != nil {
		return "", err
	}
	return ir.Format(g), nil
}

// prepare returns the graph with constants and normalizations folded. It must
// not be changed.
func (m *Model) prepare(parity bool) (*ir.Graph, error) {
	if m.prepared != nil && !parity {
		return m.prepared, nil
	}
	g, _ := m.graph.Clone()
	err := tensor.Guard(func() error {
		if err := pass.Expand(g); err != nil {
			return err
		}
		return pass.Prepare(g, pass.Options{NoPatterns: parity})
	})
	if err != nil {
		return nil, m.wrap(err)
	}
	if !parity {
		m.prepared = g
	}
	return g, nil
}

// wrap puts the file's name before an error.
func (m *Model) wrap(err error) error { return fmt.Errorf("%s: %w", m.Path, err) }

// A SaveOption changes how Save writes.
type SaveOption func(*saveOptions)

type saveOptions struct {
	format.EncodeOptions
	ctx      context.Context
	progress func(done, total int64)
}

// ExternalData moves constants of least bytes and more, 0 being 1 KiB, into a
// file beside the model, whose name is the model's with .data behind it. It
// happens by itself where the model would have more than 2 GB without.
func ExternalData(least int64) SaveOption {
	return func(o *saveOptions) { o.External, o.ExternalMin = true, least }
}

// Saving calls progress, if it is not nil, as bytes are written, and stops with
// ctx's error when that is cancelled; what was there stays then.
func Saving(ctx context.Context, progress func(done, total int64)) SaveOption {
	return func(o *saveOptions) { o.ctx, o.progress = ctx, progress }
}

// Save writes the model to path, in the format that the name's ending says,
// replacing the file as a whole or not at all. External data is written beside
// it where the format needs that or the options ask for it; that of a model
// that was replaced goes with it.
func (m *Model) Save(path string, opts ...SaveOption) error {
	f, err := all.ByExtension(path)
	if err != nil {
		return err
	}
	o := saveOptions{ctx: context.Background()}
	o.Opset, o.Name, o.Producer, o.Version = m.opset, filepath.Base(path), "octavo", Version
	for _, opt := range opts {
		opt(&o)
	}
	return tensor.Guard(func() error {
		g, _ := m.graph.Clone()
		form := m.lowered(f)
		var prescribed []Prescribed
		if form.Arithmetic == ir.TFLite {
			if err := pass.Expand(g); err != nil {
				return m.wrap(err)
			}
			if prescribed, err = prescribe(g); err != nil {
				return m.wrap(err)
			}
			if err := m.signedIO(g); err != nil {
				return m.wrap(err)
			}
		}
		var planned []*ir.Node
		switch {
		case m.Report != nil:
			planned, form.Floats = m.Report.planned(g)
		case form.Arithmetic == ir.TFLite && g.Arithmetic != ir.TFLite:
			if form.Floats, err = unasked(g); err != nil {
				return m.wrap(err)
			}
		}
		if err := pass.Lower(g, form); err != nil {
			return m.wrap(err)
		}
		if m.Report != nil {
			if err := m.Report.onFloats(g, planned, form.Arithmetic == ir.TFLite); err != nil {
				return err
			}
		}
		e, err := f.Encode(g, o.EncodeOptions)
		if err != nil {
			return m.wrap(err)
		}
		old := refersToData(path)
		removed, err := write(path, e, &o)
		if err != nil {
			return err
		}
		files := []string{path}
		for _, c := range e.Companions {
			files = append(files, filepath.Join(filepath.Dir(path), c.Name))
		}
		if old && len(e.Companions) == 0 {
			if err := m.removeData(path); err != nil {
				return err
			}
		}
		if removed > 0 {
			m.Warnings = append(m.Warnings, leftovers(path, removed))
		}
		m.Warnings = append(m.Warnings, e.Warnings...)
		m.raised, m.prescribed = e.Raised, prescribed
		if m.Report != nil {
			m.Report.Opset, m.Report.Prescribed = e.Raised, m.Prescribed()
		}
		m.Path, m.saved = path, files
		return nil
	})
}

// lowered returns what a file of format f is to hold.
func (m *Model) lowered(f *format.Format) pass.Form {
	if f.Form.ChannelsLast {
		return pass.Form{ChannelsLast: true, Arithmetic: ir.TFLite}
	}
	if m.Report == nil {
		return pass.Form{}
	}
	r := m.Report.recipe
	return pass.Form{Integer: r.OnnxForm == "qoperator", NBits: r.NBits()}
}

// write replaces the files of a model together, and returns how many
// temporaries of interrupted runs it removed.
func write(path string, e *format.Encoded, o *saveOptions) (removed int, err error) {
	watch := &watched{saveOptions: o, total: e.Main.Size}
	for _, p := range e.Companions {
		watch.total += p.Size
	}
	g, err := atomicfile.NewGroup(path)
	if err != nil {
		return 0, err
	}
	defer g.Discard()
	for _, p := range e.Companions {
		w, err := g.Create(filepath.Join(filepath.Dir(path), p.Name))
		if err != nil {
			return 0, err
		}
		if _, err := p.WriteTo(watch.on(w)); err != nil {
			return 0, err
		}
	}
	w, err := g.Create(path)
	if err != nil {
		return 0, err
	}
	if _, err := e.Main.WriteTo(watch.on(w)); err != nil {
		return 0, err
	}
	return g.Removed(), g.Commit()
}

// watched counts what is written to the files of a model.
type watched struct {
	*saveOptions
	w           io.Writer
	done, total int64
}

// on returns a writer that goes on counting for another file.
func (w *watched) on(f io.Writer) io.Writer {
	w.w = f
	return w
}

// Write writes to the file, unless the work is cancelled.
func (w *watched) Write(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.w.Write(b)
	if w.done += int64(n); w.progress != nil {
		w.progress(w.done, w.total)
	}
	return n, err
}
