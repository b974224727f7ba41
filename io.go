package octavo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// metaIO is the key of a model's metadata under which the inputs and outputs
// stand that differ from those of the model it was made from.
const metaIO = "octavo.io"

// channelsLast is the word for the layout.
const channelsLast = "channels-last"

// IOValue says how an input or output differs from the one of the model that
// was quantized: its integers q stand for Scale·(q − ZeroPoint), and its axis 1
// was put last where Layout is "channels-last".
type IOValue struct {
	Value     string  `json:"value"`
	Kind      string  `json:"kind"`           // "input" or "output"
	Type      string  `json:"type,omitempty"` // "": not changed, as Scale and ZeroPoint
	Scale     float32 `json:"scale,omitempty"`
	ZeroPoint int64   `json:"zero_point"`
	Layout    string  `json:"layout,omitempty"`
}

// String describes v in a line.
func (v IOValue) String() string {
	s := fmt.Sprintf("%s %q: ", v.Kind, v.Value)
	if v.Type != "" {
		s += fmt.Sprintf("%s, scale %v, zero point %d", v.Type, v.Scale, v.ZeroPoint)
	}
	if v.Type != "" && v.Layout != "" {
		s += ", "
	}
	return s + v.Layout
}

// writeIO changes inputs and outputs of g as list says, and records that.
func writeIO(g *ir.Graph, list []pass.Edge) ([]IOValue, error) {
	if len(list) == 0 {
		return nil, nil
	}
	list = slices.Clone(list)
	if err := pass.WriteEdges(g, list); err != nil {
		return nil, err
	}
	var out []IOValue
	for _, e := range list {
		v := IOValue{Value: e.Value, Kind: "output"}
		if slices.ContainsFunc(g.Inputs, func(in *ir.Value) bool { return in.Name == e.Value }) {
			v.Kind = "input"
		}
		if e.Params.Present() {
			v.Type, v.Scale, v.ZeroPoint = e.Params.Type.String(), e.Params.Scale[0], e.Params.Zero(0)
		}
		if e.ChannelsLast {
			v.Layout = channelsLast
		}
		out = append(out, v)
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	if g.Meta == nil {
		g.Meta = map[string]string{}
	}
	g.Meta[metaIO] = string(text)
	return out, nil
}

// IO returns what m's file records of inputs and outputs that differ from
// those of the model it was made from; nil where it records nothing.
func (m *Model) IO() ([]IOValue, error) {
	text, ok := m.graph.Meta[metaIO]
	if !ok {
		return nil, nil
	}
	var out []IOValue
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		return nil, fmt.Errorf("%s: metadata %s: %w", m.Path, metaIO, err)
	}
	return out, nil
}

// SourceIO returns m as a model that takes and gives what the one it was
// quantized from did: floats, in that model's layout. Where m records no
// difference it is m itself. It shares m's file: m must stay open.
func (m *Model) SourceIO() (*Model, error) {
	if m.source != nil {
		return m.source, nil
	}
	values, err := m.IO()
	if err != nil || len(values) == 0 {
		return m, err
	}
	var list []pass.Edge
	for _, v := range values {
		e := pass.Edge{Value: v.Value, ChannelsLast: v.Layout == channelsLast}
		if v.Layout != "" && !e.ChannelsLast {
			return nil, fmt.Errorf("%s: metadata %s: layout %q of %q is not known", m.Path, metaIO, v.Layout, v.Value)
		}
		if v.Type != "" {
			t, err := dtype.Parse(v.Type)
			if err != nil {
				return nil, fmt.Errorf("%s: metadata %s: %w", m.Path, metaIO, err)
			}
			e.Params = affine.PerTensor(t, v.Scale, v.ZeroPoint)
		}
		list = append(list, e)
	}
	g, _ := m.graph.Clone()
	if err := tensor.Guard(func() error { return pass.RestoreEdges(g, list) }); err != nil {
		return nil, fmt.Errorf("%s: metadata %s: %w", m.Path, metaIO, err)
	}
	delete(g.Meta, metaIO)
	s := *m
	s.graph, s.prepared, s.looked, s.source = g, nil, nil, nil
	m.source = &s
	return m.source, nil
}

// FormFor returns the form of m, as it stands or SourceIO, that takes inputs of
// these types: as it stands where its integers are given as integers.
func (m *Model) FormFor(in Inputs) (*Model, error) {
	return m.form(func(name string) dtype.Type {
		if t := in[name]; t != nil {
			return t.Type()
		}
		return dtype.Invalid
	})
}

// like is FormFor the inputs that ref takes, with the names, types and layout
// of ref's.
func (m *Model) like(ref *Model) (*Model, error) {
	s, err := m.form(ref.inputType)
	if err != nil {
		return nil, err
	}
	return s.matched(ref)
}

func (m *Model) form(given func(input string) dtype.Type) (*Model, error) {
	s, err := m.SourceIO()
	if err != nil || s == m {
		return m, err
	}
	for _, v := range m.graph.Inputs {
		if v.Type != s.inputType(v.Name) && v.Type == given(v.Name) {
			return m, nil
		}
	}
	return s, nil
}

func (m *Model) inputType(name string) dtype.Type {
	for _, v := range m.graph.Inputs {
		if v.Name == name {
			return v.Type
		}
	}
	return dtype.Invalid
}

// Conversions says, a line for each, which inputs and outputs are converted
// where form, of FormFor, runs in the place of m.
func (m *Model) Conversions(form *Model) ([]string, error) {
	if form == m {
		return nil, nil
	}
	var out []string
	if _, as := form.graph.Meta[metaIO]; !as {
		values, err := m.IO()
		for _, v := range values {
			out = append(out, fmt.Sprintf("%s: %v", m.Path, v))
		}
		if err != nil {
			return out, err
		}
	}
	for _, line := range form.edges {
		out = append(out, fmt.Sprintf("%s: %s", m.Path, line))
	}
	return out, nil
}

// Conversions says what is converted for each of the models that run on d.
func (d *Dataset) Conversions() ([]string, error) {
	var out []string
	for _, m := range append([]*Model{d.given}, d.options.Others...) {
		form, err := m.like(d.model)
		if err != nil {
			return nil, err
		}
		lines, err := m.Conversions(form)
		if err != nil {
			return nil, err
		}
		out = append(out, lines...)
	}
	return out, nil
}
