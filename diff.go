package octavo

import (
	"bytes"
	"context"
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Diff compares the constants and quantization parameters of two models.
type Diff struct {
	Schema string `json:"schema"`
	A      string `json:"a"`
	B      string `json:"b"`
	// Identical says that no tensor differs; Same counts those that do not.
	Identical bool         `json:"identical"`
	Same      int          `json:"same"`
	Tensors   []TensorDiff `json:"tensors"` // those that differ, A's order first
	OnlyA     []string     `json:"only_a"`
	OnlyB     []string     `json:"only_b"`
}

// TensorDiff is how one tensor differs.
type TensorDiff struct {
	Name string `json:"name"`
	// Kind is "parameters" of a quantized value, or "constant".
	Kind string `json:"kind"`
	// TypeA and TypeB are types with shapes; nothing else is compared where
	// they differ.
	TypeA string `json:"type_a"`
	TypeB string `json:"type_b"`
	// Ratio is the scale of B over that of A that lies farthest from 1, and
	// ZeroPoint the largest difference of zero points; of parameters alone.
	Ratio     float64 `json:"scale_ratio,omitempty"`
	ZeroPoint int64   `json:"zero_point_difference,omitempty"`
	// Elements counts the elements that differ. Steps is the largest
	// difference of integers: stored ones, or zero points. Largest is that of
	// floats, in their unit; NaN differs by the greatest float.
	Elements int64   `json:"elements,omitempty"`
	Steps    int64   `json:"steps,omitempty"`
	Largest  float64 `json:"largest,omitempty"`
}

// Diff compares m with other, tensor by tensor, by name: the constants, and
// the scales and zero points of QuantizeLinear and DequantizeLinear nodes.
// Constants are streamed, so memory does not grow with the files.
func (m *Model) Diff(ctx context.Context, other *Model) (*Diff, error) {
	d := &Diff{Schema: "octavo.diff/1", A: m.Path, B: other.Path, Tensors: []TensorDiff{}, OnlyA: []string{}, OnlyB: []string{}}
	a, b := entries(m.graph), entries(other.graph)
	in := map[string]entry{}
	for _, e := range b {
		in[e.key()] = e
	}
	err := tensor.Guard(func() error {
		for _, x := range a {
			if err := ctx.Err(); err != nil {
				return err
			}
			y, ok := in[x.key()]
			if !ok {
				d.OnlyA = append(d.OnlyA, x.key())
				continue
			}
			delete(in, x.key())
			t, same, err := x.compare(y)
			if err != nil {
				return err
			}
			if same {
				d.Same++
			} else {
				d.Tensors = append(d.Tensors, t)
			}
		}
		return nil
	})
	for _, y := range b {
		if _, left := in[y.key()]; left {
			d.OnlyB = append(d.OnlyB, y.key())
		}
	}
	d.Identical = len(d.Tensors)+len(d.OnlyA)+len(d.OnlyB) == 0
	return d, err
}

// scaleSteps is by how many steps another scale moves the far end of an 8-bit
// grid.
func (t TensorDiff) scaleSteps() int64 {
	const ends = 255
	if t.Kind != "parameters" || t.Ratio == 1 {
		return 0
	}
	if t.Ratio <= 0 {
		return math.MaxInt64
	}
	return int64(min(math.Ceil(float64(math.Abs(t.Ratio-1)*ends)-1e-9), math.MaxInt32))
}

// Err returns an error with exit code 3 if an integer or zero point differs by
// more than the number of steps, a scale by so much that the far end of an
// 8-bit grid moves further, a float constant at all, or if a tensor has no
// partner of its type.
func (d *Diff) Err(maxSteps int64) error {
	e := &diag.Error{Kind: diag.Gate}
	if n := len(d.OnlyA) + len(d.OnlyB); n > 0 {
		e.Note("%d tensors are in one of the files only", n)
	}
	for _, t := range d.Tensors {
		if t.TypeA != t.TypeB {
			e.Note("%s: %s in A, %s in B", t.Name, t.TypeA, t.TypeB)
		} else if t.Steps > maxSteps {
			e.Note("%s: %d steps", t.Name, t.Steps)
		} else if s := t.scaleSteps(); s > maxSteps {
			e.Note("%s: scale x%.6g moves the end of the grid by %d steps", t.Name, t.Ratio, s)
		} else if t.Kind == "constant" && t.Elements > 0 && t.Steps == 0 {
			e.Note("%s: %d elements that are no integers differ", t.Name, t.Elements)
		}
	}
	if len(e.Notes) == 0 {
		return nil
	}
	e.Msg = fmt.Sprintf("%s and %s differ by more than %d steps", d.A, d.B, maxSteps)
	if more := len(e.Notes) - 5; more > 0 {
		e.Notes = append(e.Notes[:5], fmt.Sprintf("and %d more", more))
	}
	return e
}

// entry is one thing to compare: a constant, or the parameters of a value.
type entry struct {
	name, kind  string
	value, zero *tensor.Tensor // the constant, or scale and (maybe nil) zero point
}

func (e entry) key() string { return e.kind + " " + e.name }

// entries lists what a graph holds, in the order of its nodes. Scales and zero
// points are listed under the value that they quantize, not as constants.
func entries(g *ir.Graph) []entry {
	var out []entry
	seen, params := map[string]bool{}, map[*ir.Value]bool{}
	add := func(e entry) {
		if !seen[e.key()] {
			seen[e.key()] = true
			out = append(out, e)
		}
	}
	for _, n := range g.Nodes {
		switch n.Op.(type) {
		case *op.QuantizeLinear, *op.DequantizeLinear:
		default:
			continue
		}
		if len(n.In) < 2 || n.In[0] == nil || n.In[1] == nil || n.In[1].Const == nil {
			continue
		}
		e := entry{name: n.In[0].Name, kind: "parameters", value: n.In[1].Const}
		params[n.In[1]] = true
		if len(n.In) > 2 && n.In[2] != nil && n.In[2].Const != nil {
			e.zero = n.In[2].Const
			params[n.In[2]] = true
		}
		add(e)
	}
	for _, v := range g.Values() {
		if v.Const != nil && v.Const.Storage() != nil && !params[v] {
			add(entry{name: v.Name, kind: "constant", value: v.Const})
		}
	}
	return out
}

func tensorType(t *tensor.Tensor) string {
	if t == nil {
		return "none"
	}
	return fmt.Sprint(t.Type(), t.Shape())
}

func (e entry) typeText() string {
	if e.kind == "constant" {
		return tensorType(e.value)
	}
	return tensorType(e.value) + " zero point " + tensorType(e.zero)
}

func (e entry) compare(o entry) (TensorDiff, bool, error) {
	d := TensorDiff{Name: e.name, Kind: e.kind, TypeA: e.typeText(), TypeB: o.typeText()}
	if d.TypeA != d.TypeB {
		return d, false, nil
	}
	err := eachPair(e.value, o.value, func(x, y *tensor.Tensor) { d.count(x, y) })
	if err != nil || e.kind == "constant" {
		return d, d.Elements == 0, err
	}
	d.Ratio = farthest(floats(e.value), floats(o.value))
	if e.zero != nil {
		if err := eachPair(e.zero, o.zero, func(x, y *tensor.Tensor) { d.count(x, y) }); err != nil {
			return d, false, err
		}
		d.ZeroPoint = d.Steps
	}
	return d, d.Elements == 0, nil
}

// farthest returns the quotient y/x that lies farthest from 1, 0 where one is
// not finite.
func farthest(x, y []float64) float64 {
	worst := 1.0
	for i := range x {
		r := y[i] / x[i]
		if math.IsNaN(r) || math.IsInf(r, 0) {
			return 0
		}
		if math.Abs(r-1) > math.Abs(worst-1) {
			worst = r
		}
	}
	return worst
}

// count adds what differs between two pieces of the same type and length.
func (d *TensorDiff) count(x, y *tensor.Tensor) {
	if p, ok := tensor.Ints(x); ok {
		q, _ := tensor.Ints(y)
		for i := range p {
			if p[i] != q[i] {
				d.Elements++
				d.Steps = max(d.Steps, span(p[i], q[i]))
			}
		}
		return
	}
	p, q := floats(x), floats(y)
	if p == nil {
		b, c := x.Bytes(), y.Bytes()
		size := max(1, x.Type().Bits()/8)
		for i := 0; i+size <= len(b); i += size {
			if !bytes.Equal(b[i:i+size], c[i:i+size]) {
				d.Elements++
			}
		}
		return
	}
	for i := range p {
		if p[i] == q[i] || math.IsNaN(p[i]) && math.IsNaN(q[i]) {
			continue
		}
		d.Elements++
		gap := math.Abs(p[i] - q[i])
		if math.IsNaN(gap) || math.IsInf(gap, 0) {
			gap = math.MaxFloat64
		}
		d.Largest = max(d.Largest, gap)
	}
}

// span is |a-b|, or the greatest integer where that is beyond it.
func span(a, b int64) int64 {
	if a < b {
		a, b = b, a
	}
	if s := a - b; s >= 0 {
		return s
	}
	return math.MaxInt64
}

// floats widens float32 and float64 elements; nil for other types.
func floats(t *tensor.Tensor) []float64 {
	switch t.Type().String() {
	case "float64":
		return tensor.Data[float64](t)
	case "float32":
		out := make([]float64, t.Len())
		for i, v := range tensor.Data[float32](t) {
			out[i] = float64(v)
		}
		return out
	}
	return nil
}

// piece is how many elements of each tensor are compared at once.
const piece = 1 << 18

// eachPair calls f with consecutive flat pieces of two tensors of one type and
// length, where their bytes differ.
func eachPair(x, y *tensor.Tensor, f func(x, y *tensor.Tensor)) error {
	n := x.Len()
	x, err := x.Reshape(n)
	if err != nil {
		return err
	}
	if y, err = y.Reshape(n); err != nil {
		return err
	}
	for lo := 0; lo < n; lo += piece {
		p, q := x.Slice(lo, min(lo+piece, n)), y.Slice(lo, min(lo+piece, n))
		if !bytes.Equal(p.Bytes(), q.Bytes()) {
			f(p, q)
		}
		p.Release()
		q.Release()
	}
	return nil
}
