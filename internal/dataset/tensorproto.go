package dataset

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// protoTypes are the element types of a TensorProto by their number there, and
// the field that holds the elements where they are not raw.
var protoTypes = map[uint64]struct {
	typ   dtype.Type
	field int
}{
	1: {dtype.Float32, 4}, 2: {dtype.Uint8, 5}, 3: {dtype.Int8, 5}, 4: {dtype.Uint16, 5}, 5: {dtype.Int16, 5}, 6: {dtype.Int32, 5},
	7: {dtype.Int64, 7}, 9: {dtype.Bool, 5}, 10: {dtype.Float16, 5}, 11: {dtype.Float64, 10}, 12: {dtype.Uint32, 11}, 13: {dtype.Uint64, 11}, 16: {dtype.BFloat16, 5},
}

// tensorProto is what a TensorProto message (onnx.proto) holds.
type tensorProto struct {
	dims     []int64
	typ      uint64
	raw      []byte
	hasRaw   bool
	floats   []float32
	doubles  []float64
	ints     []int64  // int32_data and int64_data
	unsigned []uint64 // uint64_data
	fields   map[int]bool
	external bool
}

// parseTensor reads a TensorProto message as a tensor.
func parseTensor(b []byte) (*tensor.Tensor, error) {
	p := tensorProto{fields: map[int]bool{}}
	for f, err := range proto.Fields(b) {
		if err == nil {
			err = p.field(f)
		}
		if err != nil {
			return nil, err
		}
	}
	return p.tensor()
}

func (p *tensorProto) field(f proto.Field) (err error) {
	switch f.Num {
	case 1:
		p.dims, err = proto.AppendInt64s(p.dims, f)
		if err == nil && len(p.dims) > maxNested {
			err = fmt.Errorf("more than %d dimensions", maxNested)
		}
	case 2:
		p.typ = f.Val
	case 4:
		p.floats, err = proto.AppendFloat32s(p.floats, f)
	case 5, 7:
		p.ints, err = proto.AppendInt64s(p.ints, f)
	case 9:
		p.raw, p.hasRaw = f.Bytes, true
	case 10:
		p.doubles, err = proto.AppendFloat64s(p.doubles, f)
	case 11:
		p.unsigned, err = proto.AppendUint64s(p.unsigned, f)
	case 13:
		p.external = true
	case 14:
		p.external = p.external || f.Val == 1
	}
	p.fields[int(f.Num)] = true
	return err
}

func (p *tensorProto) tensor() (*tensor.Tensor, error) {
	if p.external {
		return nil, errors.New("tensors with external data are not read as samples")
	}
	kind, ok := protoTypes[p.typ]
	if !ok {
		return nil, fmt.Errorf("tensors of element type %d are not read as samples, or the file holds no tensor", p.typ)
	}
	shape := make([]int, len(p.dims))
	for i, d := range p.dims {
		if d < 0 || d > math.MaxInt32 {
			return nil, fmt.Errorf("dimension %d is %d", i, d)
		}
		shape[i] = int(d)
	}
	n, ok := tensor.Count(shape)
	if !ok {
		return nil, fmt.Errorf("shape %v is too large", shape)
	}
	have := len(p.floats) + len(p.doubles) + len(p.ints) + len(p.unsigned)
	if p.hasRaw {
		if size := kind.typ.Bits() / 8; len(p.raw)%size != 0 || len(p.raw)/size != n {
			return nil, fmt.Errorf("%d bytes for %d elements of type %v", len(p.raw), n, kind.typ)
		}
		return tensor.FromBytes(kind.typ, shape, slices.Clone(p.raw))
	}
	if have != n || n > 0 && !p.fields[kind.field] {
		return nil, fmt.Errorf("%d elements for shape %v of %v", have, shape, kind.typ)
	}
	return p.numbers(kind.typ, shape)
}

// numbers makes a tensor of elements that stand in fields of their own.
func (p *tensorProto) numbers(typ dtype.Type, shape []int) (*tensor.Tensor, error) {
	switch typ {
	case dtype.Float32:
		return tensor.FromSlice(p.floats, shape...), nil
	case dtype.Float64:
		return tensor.FromSlice(p.doubles, shape...), nil
	case dtype.Float16, dtype.BFloat16:
		bits := make([]byte, 0, 2*len(p.ints))
		for _, v := range p.ints {
			if v < 0 || v > math.MaxUint16 {
				return nil, fmt.Errorf("value %d for the bits of %v", v, typ)
			}
			bits = append(bits, byte(v), byte(v>>8))
		}
		return tensor.FromBytes(typ, shape, bits)
	}
	for _, v := range p.unsigned {
		p.ints = append(p.ints, int64(v))
	}
	if lo, hi := typ.Range(); typ != dtype.Uint64 && typ != dtype.Bool {
		for _, v := range p.ints {
			if v < lo || v > hi {
				return nil, fmt.Errorf("value %d does not fit into %v", v, typ)
			}
		}
	}
	return tensor.FromInts(typ, p.ints, shape...), nil
}

// tensorFile adds a file with a TensorProto, one whole sample.
func (o *opener) tensorFile(p Path, b []byte) error {
	t, err := parseTensor(b)
	if err != nil {
		return &diag.FormatError{Where: p.Path, Msg: err.Error()}
	}
	name := p.Name
	if name == "" {
		if name, err = o.onlyInput(p.Path); err != nil {
			return err
		}
	}
	in, err := o.input(p.Path, name)
	if err != nil {
		return err
	}
	if len(t.Shape()) != len(in.Shape) || !fits(t.Shape(), in.Shape) {
		return misfit(*in, p.Path, t.Shape()).Note("the file is one whole sample")
	}
	o.narrows(*in, p.Path, t)
	return o.append(name, part{where: p.Path, source: wholeArray{t}, n: 1})
}

// testSets adds test data of ONNX: a folder with input_0.pb and so on, in the
// order of the model's inputs, or a folder of such folders, which are called
// test_data_set_0 and so on. It reports false where there is neither.
func (o *opener) testSets(p Path, entries []os.DirEntry) (bool, error) {
	if inputs := numbered(entries, "input_", ".pb", false); len(inputs) > 0 {
		return true, o.testSet(p, inputs)
	}
	sets := numbered(entries, "test_data_set_", "", true)
	for _, s := range sets {
		folder := filepath.Join(p.Path, s.name)
		files, err := os.ReadDir(folder)
		if err != nil {
			return true, err
		}
		inputs := numbered(files, "input_", ".pb", false)
		if len(inputs) == 0 {
			return true, &diag.Error{Msg: folder + ": the folder holds no input_0.pb"}
		}
		if err := o.testSet(Path{p.Name, folder}, inputs); err != nil {
			return true, err
		}
	}
	return len(sets) > 0, nil
}

func (o *opener) testSet(p Path, inputs []numberedName) error {
	for _, in := range inputs {
		path := filepath.Join(p.Path, in.name)
		if in.number >= len(o.d.columns) {
			return diag.Usagef("%s: the model has %d inputs", path, len(o.d.columns)).Note("inputs: %s", strings.Join(inputNames(o.d.spec), ", "))
		}
		c := o.d.columns[in.number]
		if c.fill != nil || p.Name != "" && p.Name != c.in.Name {
			continue
		}
		if err := o.file(Path{c.in.Name, path}); err != nil {
			return err
		}
	}
	return nil
}

type numberedName struct {
	name   string
	number int
}

// numbered returns the entries called prefix, number, suffix, by number.
func numbered(entries []os.DirEntry, prefix, suffix string, folders bool) []numberedName {
	var out []numberedName
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), prefix)
		digits, ends := strings.CutSuffix(digits, suffix)
		if n, err := strconv.Atoi(digits); ok && ends && err == nil && n >= 0 && e.IsDir() == folders {
			out = append(out, numberedName{e.Name(), n})
		}
	}
	slices.SortFunc(out, func(a, b numberedName) int { return a.number - b.number })
	return out
}
