package octavo

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/target"
)

// What becomes of a node on a target.
const (
	RunsInteger = "integer"     // computed on integers
	RunsFolded  = "folded"      // absorbed into the range of what it limits
	RunsFloat   = "float"       // computed on floats, for a reason
	RunsAsIs    = "as it is"    // moves float data or handles shapes: nothing to quantize
	RunsNot     = "cannot load" // the target refuses the model for it
)

// Check tells what a target would make of a model, before any work.
type Check struct {
	Schema      string `json:"schema"`
	Model       string `json:"model"`
	Target      string `json:"target"`
	Activations string `json:"activations"` // element type
	Weights     string `json:"weights"`     // element type
	// Opset is the ai.onnx version of the file that would be written, MaxOpset
	// the highest that the target loads.
	Opset    int         `json:"opset"`
	MaxOpset int         `json:"max_opset"`
	Nodes    []NodeCheck `json:"nodes"`
	// Rest is what becomes of the nodes that the target itself does not run;
	// absent where it runs all, or floats beside integers.
	Rest *RestCheck `json:"rest,omitempty"`
	// Problems say why the target cannot load the model; empty: it can.
	Problems []string `json:"problems"`
}

// NodeCheck is what becomes of one node. Nodes in bodies of control flow have the
// path to them for a name, such as "choice/then_branch/conv".
type NodeCheck struct {
	Node   string `json:"node"`
	Op     string `json:"op"`
	Runs   string `json:"runs"` // one of the Runs constants
	Reason string `json:"reason,omitempty"`
	// Activations is the element type of what an integer node reads where it is
	// not the target's first.
	Activations string `json:"activations,omitempty"`
	// By is what runs the node where that is not the target itself, or is slow.
	By string `json:"by,omitempty"`
}

// RestCheck says what becomes of the nodes that a target does not run.
type RestCheck struct {
	By        string `json:"by"`
	Operators int    `json:"operators"`
	// From is the node from which on all run there; absent where only those do
	// that the target has no integer form of.
	From string `json:"from,omitempty"`
	Cost string `json:"cost"` // one sentence
}

// Check places m on the target as Quantize would by default, from operators'
// facts and the target's rules alone: no weight is read and nothing is run. A
// model that is quantized already is an error.
func (m *Model) Check(name string) (*Check, error) {
	t, err := target.Load(name)
	if err != nil {
		return nil, err
	}
	g, err := m.lookedAt(false)
	if err != nil {
		return nil, err
	}
	if n := quantizedNodes(g); n > 0 {
		return nil, &diag.Error{Msg: fmt.Sprintf("%s: the model is quantized already (%d QuantizeLinear and DequantizeLinear nodes)", m.Path, n),
			Notes: []string{"check the float model it was made from"}}
	}
	g, missing, err := m.forTarget(g, t, true)
	if err != nil {
		return nil, err
	}
	p, err := quant.Place(g, &Recipe{Target: name})
	if err != nil {
		return nil, err
	}
	c := &Check{Schema: "octavo.check/1", Model: m.Path, Target: name, Activations: t.Activation().String(), Weights: t.Weight().String(),
		Opset: onnx.WrittenOpset(m.graph), MaxOpset: t.MaxOpset, Nodes: []NodeCheck{}, Problems: []string{}}
	runs := map[string]NodeCheck{}
	for _, s := range p.Skipped {
		runs[s.Node] = NodeCheck{Runs: RunsFloat, Reason: s.Reason}
	}
	refused, chosen, absorbed := map[string]bool{}, set(p.Nodes), set(p.Absorbed)
	outer := map[*ir.Node]bool{} // names of values in bodies may be those of others
	for _, n := range g.Nodes {
		outer[n] = true
	}
	var nodes []*ir.Node // of c.Nodes
	quant.EachNode(g, func(path string, n *ir.Node) {
		r := NodeCheck{Runs: RunsAsIs}
		first := ""
		if len(n.Out) > 0 && n.Out[0] != nil {
			first = n.Out[0].Name
		}
		if s, ok := runs[path]; ok {
			r = s
		}
		custom, ok := n.Op.(*op.Custom)
		if ok && !t.Brings(custom.Domain, false) || missing[n.Op.Name()] {
			r = NodeCheck{Runs: RunsNot, Reason: fmt.Sprintf("%s does not bring this operator", name)}
			if !refused[n.Op.Name()] {
				refused[n.Op.Name()] = true
				c.Problems = append(c.Problems, fmt.Sprintf("operator %s is no ONNX operator and %s does not bring it", n.Op.Name(), name))
			}
		} else if outer[n] && absorbed[first] {
			r = NodeCheck{Runs: RunsFolded}
		} else if outer[n] && chosen[first] {
			r = NodeCheck{Runs: RunsInteger}
			rule := t.Rule(n.Op.Name())
			r.By, r.Activations = rule.RunBy(constantWeight(n)), rule.Prefers
		}
		r.Node, r.Op = path, n.Op.Name()
		c.Nodes, nodes = append(c.Nodes, r), append(nodes, n)
	})
	c.rest(nodes, t)
	if c.Opset > c.MaxOpset {
		c.Problems = append(c.Problems, fmt.Sprintf("opset %d is newer than %d, the highest that %s loads: quantize with --opset %[2]d", c.Opset, c.MaxOpset, name))
	}
	return c, nil
}

// rest fills in what becomes of the nodes that the target does not run.
func (c *Check) rest(nodes []*ir.Node, t *target.Target) {
	if t.Rest == nil {
		return
	}
	r := RestCheck{By: t.Rest.Where, Cost: t.Rest.Cost}
	for i, n := range nodes {
		left := c.Nodes[i].Runs == RunsFloat || c.Nodes[i].Runs == RunsAsIs && onFloats(n)
		if left && r.From == "" {
			r.From = c.Nodes[i].Node
		}
		if left || t.Rest.Behind && r.From != "" && c.Nodes[i].Runs != RunsAsIs {
			c.Nodes[i].By = r.By
			r.Operators++
		}
	}
	if !t.Rest.Behind {
		r.From = ""
	}
	if r.Operators > 0 {
		c.Rest = &r
	}
}

// constantWeight reports whether a node multiplies by a constant.
func constantWeight(n *ir.Node) bool {
	q, ok := n.Op.(op.Quantizable)
	if !ok {
		return false
	}
	w := q.Quantization().Weight
	return w != op.None && w < len(n.In) && n.In[w] != nil && n.In[w].Const != nil
}

// onFloats reports whether a node that is not quantized is work for a kernel of
// floats: it computes them, or numbers from them other than shapes.
func onFloats(n *ir.Node) bool {
	for _, v := range n.Out {
		if v != nil && v.Type.IsFloat() {
			return true
		}
	}
	if _, ok := n.Op.(op.Quantizable); !ok {
		return false
	}
	return slices.ContainsFunc(n.In, func(v *ir.Value) bool { return v != nil && v.Const == nil && v.Type.IsFloat() })
}

// String says it in one sentence.
func (r *RestCheck) String() string {
	count := fmt.Sprintf("%d operators map to %s", r.Operators, r.By)
	if r.Operators == 1 {
		count = "1 operator maps to " + r.By
	}
	if r.From != "" {
		count += fmt.Sprintf(", from node %s on", r.From)
	}
	return count + ": " + r.Cost
}

func set(names []string) map[string]bool {
	s := map[string]bool{}
	for _, n := range names {
		s[n] = true
	}
	return s
}

// Count returns how many nodes run in the given way.
func (c *Check) Count(runs string) int {
	n := 0
	for _, r := range c.Nodes {
		if r.Runs == runs {
			n++
		}
	}
	return n
}

// Err returns an error with exit code 3 if the target cannot load the model
// or, with strict, if a node stays float; else nil.
func (c *Check) Err(strict bool) error {
	if len(c.Problems) > 0 {
		return &diag.Error{Kind: diag.Gate, Msg: fmt.Sprintf("%s: %s cannot load the model", c.Model, c.Target), Notes: c.Problems}
	}
	if n := c.Count(RunsFloat); strict && n > 0 {
		return &diag.Error{Kind: diag.Gate, Msg: fmt.Sprintf("%s: %d nodes stay float on %s, and --strict allows none", c.Model, n, c.Target),
			Notes: []string{"octavo targets " + c.Target + " lists what it runs on integers"}}
	}
	return nil
}

// Summary says in one line what the target would make of the model.
func (c *Check) Summary() string {
	if len(c.Problems) > 0 {
		return "cannot load: " + c.Problems[0]
	}
	s := fmt.Sprintf("%d operators as %s, %d stay float", c.Count(RunsInteger)+c.Count(RunsFolded), c.Activations, c.Count(RunsFloat))
	if c.Rest != nil && c.Rest.From != "" {
		s += fmt.Sprintf(", %d of all on %s", c.Rest.Operators, c.Rest.By)
	}
	return s
}
