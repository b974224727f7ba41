package octavo

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/target"
)

// Grid says what the integers q of a type stand for: Scale·(q − ZeroPoint).
type Grid struct {
	Type      string  `json:"type"`
	Scale     float32 `json:"scale"`
	ZeroPoint int64   `json:"zero_point"`
}

// String describes g in a few words.
func (g Grid) String() string {
	return fmt.Sprintf("%s, scale %v, zero point %d", g.Type, g.Scale, g.ZeroPoint)
}

// Prescribed is a value whose parameters a format prescribes otherwise than the
// model had them.
type Prescribed struct {
	Value string `json:"value"`
	From  Grid   `json:"from"`
	To    Grid   `json:"to"`
}

// Renamed reports whether only the type is another: uint8 and int8 say the same
// with zero points that are 128 apart.
func (p Prescribed) Renamed() bool {
	return p.From.Type == "uint8" && p.To.Type == "int8" && p.From.Scale == p.To.Scale && p.From.ZeroPoint == p.To.ZeroPoint+128
}

// Prescribed returns, after Save, the values that got other parameters because
// the format prescribes them, in the order of the graph: in TensorFlow Lite the
// results of Softmax and its like, what Concat puts together, and uint8, which
// is int8 there. Constants are not listed.
func (m *Model) Prescribed() []Prescribed { return append([]Prescribed{}, m.prescribed...) }

// prescribe gives g the parameters that TensorFlow Lite prescribes.
func prescribe(g *ir.Graph) ([]Prescribed, error) {
	t, err := target.Load("litert")
	if err != nil {
		return nil, err
	}
	moved, err := quant.Prescribe(g, t)
	if err != nil {
		return nil, err
	}
	var out []Prescribed
	listed := map[string]bool{}
	for _, n := range g.Nodes {
		v, stored := n.In, false
		switch n.Op.(type) {
		case *op.QuantizeLinear:
		case *op.DequantizeLinear:
			stored = slices.Contains(g.Inputs, v[0])
			if !stored {
				continue
			}
		default:
			continue
		}
		to, ok, err := ir.ParamsOf(n)
		if err != nil {
			return nil, err
		}
		if !ok || !to.IsPerTensor() || listed[v[0].Name] || v[0].Const != nil {
			continue
		}
		from := to
		if i := slices.IndexFunc(moved, func(m quant.Moved) bool { return m.Value == v[0].Name }); i >= 0 {
			from = moved[i].From
		}
		if from.Equal(to) && to.Type != dtype.Uint8 {
			continue
		}
		listed[v[0].Name] = true
		out = append(out, Prescribed{Value: v[0].Name, From: gridOf(from), To: gridOf(asSigned(to))})
	}
	return out, nil
}

// asSigned is the grid of a uint8 as an int8 has it.
func asSigned(p affine.Params) affine.Params {
	if p.Type != dtype.Uint8 {
		return p
	}
	return affine.PerTensor(dtype.Int8, p.Scale[0], p.Zero(0)-128)
}

// signedIO makes what g records of inputs and outputs of uint8 say int8.
func (m *Model) signedIO(g *ir.Graph) error {
	values, err := m.IO()
	changed := false
	for i, v := range values {
		if v.Type == dtype.Uint8.String() {
			values[i].Type, values[i].ZeroPoint, changed = dtype.Int8.String(), v.ZeroPoint-128, true
		}
	}
	if err != nil || !changed {
		return err
	}
	if m.Report != nil {
		m.Report.IO = values
	}
	text, err := json.Marshal(values)
	g.Meta = maps.Clone(g.Meta)
	g.Meta[metaIO] = string(text)
	return err
}

func gridOf(p affine.Params) Grid { return Grid{p.Type.String(), p.Scale[0], p.Zero(0)} }
