package octavo

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Info describes a model.
type Info struct {
	Schema         string          `json:"schema"`
	Format         string          `json:"format"`
	Inputs         []ValueInfo     `json:"inputs"`
	Outputs        []ValueInfo     `json:"outputs"`
	Parameters     int64           `json:"parameters"`
	ParameterBytes int64           `json:"parameter_bytes"`
	Precision      []PrecisionInfo `json:"precision"`
	Computes       []ComputeInfo   `json:"computes"`
	Operators      []OperatorInfo  `json:"operators"`
	Hard           []string        `json:"hard"`
	HardUnread     int             `json:"hard_unread"` // layers behind the bound of what is read
	Nodes          []string        `json:"nodes"`
}

// ValueInfo is an input or output: its name and type, such as
// "float32[batch,3,224,224]".
type ValueInfo struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// PrecisionInfo counts the parameters of one element type.
type PrecisionInfo struct {
	Type     string `json:"type"`
	Elements int64  `json:"elements"`
	Bytes    int64  `json:"bytes"`
}

// OperatorInfo counts the nodes of one operator.
type OperatorInfo struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
	Note  string `json:"note,omitempty"`
}

// lookedAt is prepare for those who read little of the weights or nothing:
// large ones are computed where they are read.
func (m *Model) lookedAt(parity bool) (*ir.Graph, error) {
	if m.prepared != nil && !parity {
		return m.prepared, nil
	}
	if m.looked != nil && !parity {
		return m.looked, nil
	}
	g, _ := m.graph.Clone()
	err := tensor.Guard(func() error {
		if err := pass.Expand(g); err != nil {
			return err
		}
		return pass.Prepare(g, pass.Options{NoPatterns: parity, Large: true})
	})
	if err != nil {
		return nil, m.wrap(err)
	}
	if !parity {
		m.looked = g
	}
	return g, nil
}

// Inspect describes the model as it is quantized and run: with constants and
// normalizations folded.
func (m *Model) Inspect() (*Info, error) {
	g, err := m.lookedAt(false)
	if err != nil {
		return nil, err
	}
	info := &Info{Schema: "octavo.inspect/1", Format: m.format.Name,
		Precision: []PrecisionInfo{}, Operators: []OperatorInfo{}, Nodes: []string{}, Hard: []string{}}
	describe := func(vs []*ir.Value) []ValueInfo {
		out := []ValueInfo{}
		for _, v := range vs {
			out = append(out, ValueInfo{v.Name, typeText(v)})
		}
		return out
	}
	info.Inputs, info.Outputs = describe(g.Inputs), describe(g.Outputs)
	info.weigh(g)
	count := map[string]*OperatorInfo{}
	quant.EachNode(g, func(path string, n *ir.Node) {
		o := count[n.Op.Name()]
		if o == nil {
			o = &OperatorInfo{Name: n.Op.Name()}
			if _, custom := n.Op.(*op.Custom); custom {
				o.Note = "unknown: carried through, cannot be run"
			}
			count[o.Name] = o
		}
		o.Count++
		info.Nodes = append(info.Nodes, nodeText(path, n))
	})
	for _, o := range count {
		info.Operators = append(info.Operators, *o)
	}
	slices.SortFunc(info.Operators, func(a, b OperatorInfo) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	lines, unread, err := hard(g, hardBytes)
	if err != nil {
		return nil, m.wrap(err)
	}
	info.Hard, info.HardUnread = append(info.Hard, lines...), unread
	info.Computes = precisionMap(g)
	return info, nil
}

// weigh counts the parameters of g and of the bodies of its nodes, each tensor
// once.
func (info *Info) weigh(g *ir.Graph) {
	byType := map[dtype.Type]*PrecisionInfo{}
	seen := map[*tensor.Tensor]bool{}
	var count func(g *ir.Graph)
	count = func(g *ir.Graph) {
		for _, v := range g.Values() {
			if v.Const == nil || v.Const.Storage() == nil || seen[v.Const] {
				continue
			}
			seen[v.Const] = true
			p := byType[v.Type]
			if p == nil {
				p = &PrecisionInfo{Type: v.Type.String()}
				byType[v.Type] = p
			}
			p.Elements += int64(v.Const.Len())
			p.Bytes += v.Const.Storage().Len()
			info.Parameters += int64(v.Const.Len())
			info.ParameterBytes += v.Const.Storage().Len()
		}
		for _, n := range g.Nodes {
			for _, b := range n.Bodies {
				count(b)
			}
		}
	}
	count(g)
	for _, p := range byType {
		info.Precision = append(info.Precision, *p)
	}
	slices.SortFunc(info.Precision, func(a, b PrecisionInfo) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Type, b.Type))
	})
}

func typeText(v *ir.Value) string {
	if v.Type == dtype.Invalid {
		return "unknown"
	}
	return v.Type.String() + v.Shape.String()
}

func nodeText(path string, n *ir.Node) string {
	s := fmt.Sprintf("%s (%s)", path, n.Op.Name())
	for _, v := range n.Out {
		if v != nil {
			s += " -> " + typeText(v)
		}
	}
	return s
}

// spread is by how much the weight ranges of a layer's channels may differ
// before one scale for all of them is called lossy.
const spread = 30

// hardBytes bounds how many bytes of weights are looked at, so that the time
// of looking at a model does not grow with its weights.
const hardBytes = 256 << 20

// hard lists layers whose weights quantize badly: channels of very different
// range under a single scale. unread is how many layers were not looked at,
// their weights lying behind the first most bytes.
func hard(g *ir.Graph, most int64) (out []string, unread int, err error) {
	var read int64
	for _, n := range g.Nodes {
		q, ok := n.Op.(op.Quantizable)
		if !ok {
			continue
		}
		f := q.Quantization()
		if f.Weight == op.None || f.Weight >= len(n.In) || n.In[f.Weight] == nil || n.In[f.Weight].Const == nil || n.In[f.Weight].Type != dtype.Float32 {
			continue
		}
		w := n.In[f.Weight].Const
		axis, err := op.Axis(f.WeightAxis, w.Rank())
		if err != nil {
			continue
		}
		if read += w.Storage().Len(); read > most {
			unread++
			continue
		}
		lo, hi, err := channelRanges(w, axis)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", quant.NodeName(n), err)
		}
		if lo > 0 && hi/lo > spread {
			out = append(out, fmt.Sprintf("%s (%s): weight ranges of its channels differ %.0f-fold; keep --granularity channel", quant.NodeName(n), n.Op.Name(), hi/lo))
		}
	}
	return out, unread, nil
}

// channelRanges returns the least nonzero and the greatest of the largest
// magnitudes of a weight's channels.
func channelRanges(w *tensor.Tensor, axis int) (lo, hi float64, err error) {
	least, most, err := affine.ChannelExtremes(w, axis)
	if err != nil {
		return 0, 0, err
	}
	lo = math.Inf(1)
	for c := range least {
		m := float64(max(-least[c], most[c]))
		if m > 0 {
			lo = min(lo, m)
		}
		hi = max(hi, m)
	}
	if math.IsInf(lo, 1) {
		return 0, 0, nil
	}
	return lo, hi, nil
}
