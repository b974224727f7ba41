// Package onnxtest reads the cases of ONNX's backend tests, for the packages
// that run them. It knows the door and no runner.
package onnxtest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// Shared returns a file of the folder beside the repository, and skips the
// test where it is absent.
func Shared(t testing.TB, name string) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
	file := filepath.Join(dir, "..", "shared", filepath.FromSlash(name))
	if _, err := os.Stat(file); err != nil {
		t.Skipf("%s is not here", name)
	}
	return file
}

// Case is one case of ONNX's backend tests: a model and sets of inputs and
// expected outputs.
type Case struct {
	Name  string
	Model []byte
	Sets  []Set
}

// Cases reads the cases of single operators, in the order of their archive.
func Cases(t testing.TB) []*Case { return read(t, "conformance/onnx-node.tar.gz", "node") }

// Models reads the cases of a suite of small models: "simple",
// "pytorch-operator" or "pytorch-converted".
func Models(t testing.TB, suite string) []*Case {
	return read(t, "conformance/onnx-models.tar.gz", suite)
}

// read reads the cases in a folder of an archive.
func read(t testing.TB, archive, folder string) []*Case {
	f, err := os.Open(Shared(t, archive))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []*Case
	byName := map[string]*Case{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			if len(out) == 0 {
				t.Fatalf("%s has no cases of %s", archive, folder)
			}
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(h.Name, "/")
		if h.Typeflag != tar.TypeReg || len(parts) < 3 || parts[0] != folder {
			continue
		}
		c := byName[parts[1]]
		if c == nil {
			c = &Case{Name: parts[1]}
			byName[c.Name] = c
			out = append(out, c)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		switch base := path.Base(h.Name); {
		case base == "model.onnx":
			c.Model = b
		case len(parts) == 4:
			i := slices.IndexFunc(c.Sets, func(s Set) bool { return s.name == parts[2] })
			if i < 0 {
				i = len(c.Sets)
				c.Sets = append(c.Sets, Set{parts[2], map[string][]byte{}})
			}
			c.Sets[i].files[base] = b
		}
	}
}

// Set is inputs and the outputs that they give.
type Set struct {
	name  string
	files map[string][]byte // by their base names
}

// Inputs reads the inputs of a graph.
func (s Set) Inputs(g *ir.Graph) ([]op.Datum, error) { return s.data("input", g.Inputs) }

// Outputs reads the expected outputs of a graph.
func (s Set) Outputs(g *ir.Graph) ([]op.Datum, error) { return s.data("output", g.Outputs) }

// data reads the files prefix_0.pb, prefix_1.pb …; values says which kinds
// they hold.
func (s Set) data(prefix string, values []*ir.Value) ([]op.Datum, error) {
	var out []op.Datum
	for i := 0; ; i++ {
		b, ok := s.files[fmt.Sprintf("%s_%d.pb", prefix, i)]
		if !ok {
			return out, nil
		}
		var f op.Fact
		if i < len(values) {
			f = values[i].Fact
		}
		d, err := datum(b, f)
		if err != nil {
			return nil, fmt.Errorf("%s %d: %w", prefix, i, err)
		}
		out = append(out, d)
	}
}

// datum reads a TensorProto, SequenceProto or OptionalProto.
func datum(b []byte, f op.Fact) (op.Datum, error) {
	var elem op.Fact
	if f.Elem != nil {
		elem = *f.Elem
	}
	d := op.Datum{Kind: f.Kind}
	if f.Kind == op.TensorKind {
		var err error
		d.Tensor, err = tensorOf(b)
		return d, err
	}
	for field, err := range proto.Fields(b) {
		if err != nil {
			return d, err
		}
		if field.Num < 3 {
			continue
		}
		e, err := datum(field.Bytes, elem)
		if err != nil {
			return d, err
		}
		d.Seq = append(d.Seq, e)
	}
	return d, nil
}

// tensorOf reads a TensorProto through the door, as the constant of a model.
func tensorOf(b []byte) (*tensor.Tensor, error) {
	var t, id, out, graph, model proto.Message
	t.Raw(b)
	t.String(8, "t")
	out.String(1, "t")
	graph.Message(5, &t)
	graph.Message(12, &out)
	id.Varint(2, 21)
	model.Varint(1, 10)
	model.Message(7, &graph)
	model.Message(8, &id)
	var file bytes.Buffer
	if _, err := model.WriteTo(&file); err != nil {
		return nil, err
	}
	m, err := onnx.Decode(format.FromBytes("tensor", file.Bytes()))
	if err != nil {
		return nil, err
	}
	return m.Graph.Outputs[0].Const, nil
}

// The tolerances of ONNX's own runner.
const (
	relative = 1e-3
	absolute = 1e-7
)

// Same compares a computed value with the expected one: floats within the
// tolerances of ONNX's runner, everything else exactly.
func Same(got, want op.Datum) error {
	if got.Kind != want.Kind || len(got.Seq) != len(want.Seq) {
		return fmt.Errorf("got kind %d of %d, want kind %d of %d", got.Kind, len(got.Seq), want.Kind, len(want.Seq))
	}
	for i := range want.Seq {
		if err := Same(got.Seq[i], want.Seq[i]); err != nil {
			return err
		}
	}
	g, w := got.Tensor, want.Tensor
	if g == nil || w == nil {
		if g != w {
			return errors.New("a value is absent")
		}
		return nil
	}
	if g.Type() != w.Type() {
		return fmt.Errorf("type is %v, want %v", g.Type(), w.Type())
	}
	if fmt.Sprint(g.Shape()) != fmt.Sprint(w.Shape()) {
		return fmt.Errorf("shape is %v, want %v", g.Shape(), w.Shape())
	}
	if !g.Type().IsFloat() {
		if !tensor.Equal(g, w) {
			return fmt.Errorf("values differ (%v)", w.Type())
		}
		return nil
	}
	a, err := op.Convert(g, dtype.Float64)
	if err != nil {
		return err
	}
	b, err := op.Convert(w, dtype.Float64)
	if err != nil {
		return err
	}
	x, y := tensor.Data[float64](a), tensor.Data[float64](b)
	for i := range y {
		if x[i] == y[i] || math.IsNaN(x[i]) && math.IsNaN(y[i]) {
			continue
		}
		bound := float64(relative*math.Abs(y[i])) + absolute
		if !(math.Abs(x[i]-y[i]) <= bound) || math.IsInf(y[i], 0) {
			return fmt.Errorf("values differ (%v): element %d is %g, want %g", w.Type(), i, x[i], y[i])
		}
	}
	return nil
}
