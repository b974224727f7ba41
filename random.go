package octavo

import (
	"fmt"
	"iter"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// calibrationKey is where a model's metadata records random calibration, as
// "random:SEED".
const calibrationKey = "octavo.calibration"

// WithRandomCalibration takes ranges from n random samples, those of
// [Model.RandomSamples]. The result warns of it, its file records it, and
// loading that file warns again (OCT003).
func WithRandomCalibration(n int, seed uint64) Option {
	return func(o *options) { o.random = &randomCalibration{n, seed} }
}

type randomCalibration struct {
	n    int
	seed uint64
}

// stamp records in q what it was calibrated on.
func (r *randomCalibration) stamp(q *Model) {
	q.graph.Meta[calibrationKey] = fmt.Sprintf("random:%d", r.seed)
	q.Warnings = append(q.Warnings, calibrationWarnings(q)...)
}

// calibrationWarnings repeats what m's file records of its calibration.
func calibrationWarnings(m *Model) []Warning {
	seed, ok := strings.CutPrefix(m.graph.Meta[calibrationKey], "random:")
	if _, err := strconv.ParseUint(seed, 10, 64); !ok || err != nil {
		return nil
	}
	return []Warning{{ID: "OCT003", Msg: fmt.Sprintf("%s: calibrated on random data (seed %s)", m.Path, seed),
		Notes: []string{"its ranges fit noise: quantize again with samples of what the model will see"}}}
}

// maxRandom bounds the elements of a random input.
const maxRandom = 1 << 28

// randomInput says how one input is drawn.
type randomInput struct {
	name  string
	typ   dtype.Type
	shape []int
	n     int // elements
	// low and span give the whole numbers from low to low+span−1.
	low, span int64
}

// RandomSamples yields n samples of random inputs for m, the same for the same
// seed on every machine and in every pass over the sequence:
//
//   - floats: about standard normal (the sum of twelve uniform numbers less 6,
//     which integer arithmetic gives with the same bits everywhere);
//   - whole numbers that are the indices of a Gather, such as tokens: within
//     the table that they index; other 8-bit integers: the type's range; other
//     integers and bool: 0 or 1.
//
// A dynamic first dimension is 1. An error of kind usage lists the others, for
// [Model.Fix].
func (m *Model) RandomSamples(n int, seed uint64) (iter.Seq2[Inputs, error], error) {
	inputs, err := m.randomInputs()
	if err != nil {
		return nil, err
	}
	return func(yield func(Inputs, error) bool) {
		s := splitmix(seed)
		for range n {
			sample := Inputs{}
			for _, in := range inputs {
				sample[in.name] = in.draw(&s)
			}
			if !yield(sample, nil) {
				return
			}
		}
	}, nil
}

func (m *Model) randomInputs() ([]randomInput, error) {
	if free := m.mustBeFixed(); len(free) > 0 {
		e := diag.Usagef("%s: random data needs sizes for dynamic dimensions", m.Path)
		for _, f := range free {
			e.Note("give %s", f.flag("N"))
		}
		return nil, e
	}
	g, err := m.lookedAt(false)
	if err != nil {
		return nil, err
	}
	tables := tableSizes(g)
	var out []randomInput
	for i, v := range m.graph.Inputs {
		if v.Shape == nil {
			return nil, diag.Usagef("%s: input %q has no known rank", m.Path, v.Name).Note("give its sizes: --shape %s=1x3x224x224", v.Name)
		}
		in := randomInput{name: v.Name, typ: v.Type, span: 2, n: 1}
		for _, d := range v.Shape {
			size, known := d.Int()
			if !known {
				size = 1 // mustBeFixed lets no others through
			}
			if size > 0 && in.n > maxRandom/size {
				return nil, diag.Usagef("%s: input %q is %v: random data is limited to %d elements", m.Path, v.Name, v.Shape, maxRandom)
			}
			in.n *= size
			in.shape = append(in.shape, size)
		}
		switch {
		case v.Type.IsFloat() && v.Type.Bits() >= 16 || v.Type == dtype.Bool:
		case !v.Type.IsInteger():
			return nil, diag.Usagef("%s: input %q is %v: random data is made for floats of 16 bits and more, integers and bool", m.Path, v.Name, v.Type)
		case tables[g.Inputs[i]] > 0:
			in.span = tables[g.Inputs[i]]
			if v.Type == dtype.Int8 {
				in.span = min(in.span, math.MaxInt8+1)
			} else if v.Type == dtype.Uint8 {
				in.span = min(in.span, math.MaxUint8+1)
			}
		case v.Type == dtype.Int8:
			in.low, in.span = math.MinInt8, math.MaxUint8+1
		case v.Type == dtype.Uint8:
			in.span = math.MaxUint8 + 1
		}
		out = append(out, in)
	}
	return out, nil
}

// tableSizes returns, for values that index a Gather, at once or after
// operators that only move them, the least number of rows that they index.
func tableSizes(g *ir.Graph) map[*ir.Value]int64 {
	out := map[*ir.Value]int64{}
	note := func(v *ir.Value, n int64) {
		if old := out[v]; v != nil && n > 0 && (old == 0 || n < old) {
			out[v] = n
		}
	}
	for _, n := range slices.Backward(g.Nodes) {
		switch o := n.Op.(type) {
		case *op.Gather:
			shape := n.In[0].Shape
			if axis, err := op.Axis(o.Axis, len(shape)); err == nil && len(shape) > 0 {
				if rows, known := shape[axis].Int(); known {
					note(n.In[1], int64(rows))
				}
			}
		case *op.Cast, *op.Identity, *op.Reshape, *op.Squeeze, *op.Unsqueeze, *op.Transpose:
			note(n.In[0], out[n.Out[0]])
		}
	}
	return out
}

// splitmix is the state of SplitMix64 (Steele, Lea and Flood, "Fast splittable
// pseudorandom number generators", 2014).
type splitmix uint64

func (s *splitmix) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// normal returns a number from −6 to 6 that is about normally distributed with
// mean 0 and variance 1: twelve uniform numbers of 21 bits, three of a word.
func (s *splitmix) normal() float64 {
	const width = 21
	var sum int64
	for range 4 {
		w := s.next()
		for range 3 {
			sum += int64(w & (1<<width - 1))
			w >>= width
		}
	}
	// Each number stands for the middle of its interval.
	return float64(2*(sum-6<<width)+12) / (2 << width)
}

// below returns a whole number from 0 to n−1.
func (s *splitmix) below(n int64) int64 {
	hi, _ := bits.Mul64(s.next(), uint64(n))
	return int64(hi)
}

func (in *randomInput) draw(s *splitmix) *Tensor {
	if in.typ.IsFloat() {
		data := make([]float64, in.n)
		for i := range data {
			data[i] = s.normal()
		}
		t, err := op.Convert(tensor.FromSlice(data, in.shape...), in.typ)
		if err != nil {
			panic("octavo: " + err.Error()) // all floats convert
		}
		return t
	}
	data := make([]int64, in.n)
	for i := range data {
		data[i] = in.low + s.below(in.span)
	}
	return tensor.FromInts(in.typ, data, in.shape...)
}
