package onnx_test

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

// shared returns a file of the folder beside the repository, and skips the
// test where it is absent.
func shared(t testing.TB, name string) string {
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

// nodeCase is one case of ONNX's backend tests: a model and sets of inputs and
// expected outputs, files by their base names.
type nodeCase struct {
	name  string
	model []byte
	sets  map[string]map[string][]byte
}

// nodeCases reads the archive of cases, in its order.
func nodeCases(t testing.TB) []*nodeCase {
	f, err := os.Open(shared(t, "conformance/onnx-node.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []*nodeCase
	byName := map[string]*nodeCase{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(h.Name, "/")
		if h.Typeflag != tar.TypeReg || len(parts) < 3 {
			continue
		}
		c := byName[parts[1]]
		if c == nil {
			c = &nodeCase{name: parts[1], sets: map[string]map[string][]byte{}}
			byName[c.name] = c
			out = append(out, c)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		switch base := path.Base(h.Name); {
		case base == "model.onnx":
			c.model = b
		case len(parts) == 4:
			if c.sets[parts[2]] == nil {
				c.sets[parts[2]] = map[string][]byte{}
			}
			c.sets[parts[2]][base] = b
		}
	}
}

// data reads the files prefix_0.pb, prefix_1.pb … of a set; values says which
// kinds they hold.
func data(set map[string][]byte, prefix string, values []*ir.Value) ([]op.Datum, error) {
	var out []op.Datum
	for i := 0; ; i++ {
		b, ok := set[fmt.Sprintf("%s_%d.pb", prefix, i)]
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
	m, err := onnx.Decode(format.FromBytes("tensor", bytesOf(&model)))
	if err != nil {
		return nil, err
	}
	return m.Graph.Outputs[0].Const, nil
}

func bytesOf(w io.WriterTo) []byte {
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// The tolerances of ONNX's own runner.
const (
	relative = 1e-3
	absolute = 1e-7
)

// same compares a computed value with the expected one: floats within the
// tolerances of ONNX's runner, everything else exactly.
func same(got, want op.Datum) error {
	if got.Kind != want.Kind || len(got.Seq) != len(want.Seq) {
		return fmt.Errorf("got kind %d of %d, want kind %d of %d", got.Kind, len(got.Seq), want.Kind, len(want.Seq))
	}
	for i := range want.Seq {
		if err := same(got.Seq[i], want.Seq[i]); err != nil {
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
