package octavo

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/format/onnx"
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
	// Problems say why the target cannot load the model; empty: it can.
	Problems []string `json:"problems"`
}

// NodeCheck is what becomes of one node.
type NodeCheck struct {
	Node   string `json:"node"`
	Op     string `json:"op"`
	Runs   string `json:"runs"` // one of the Runs constants
	Reason string `json:"reason,omitempty"`
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
	g, missing, err := m.forTarget(g, t)
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
	for _, n := range g.Nodes {
		r := NodeCheck{Runs: RunsAsIs}
		first := ""
		if len(n.Out) > 0 && n.Out[0] != nil {
			first = n.Out[0].Name
		}
		if s, ok := runs[quant.NodeName(n)]; ok {
			r = s
		}
		custom, ok := n.Op.(*op.Custom)
		if ok && !t.Brings(custom.Domain, false) || missing[n.Op.Name()] {
			r = NodeCheck{Runs: RunsNot, Reason: fmt.Sprintf("%s does not bring this operator", name)}
			if !refused[n.Op.Name()] {
				refused[n.Op.Name()] = true
				c.Problems = append(c.Problems, fmt.Sprintf("operator %s is no ONNX operator and %s does not bring it", n.Op.Name(), name))
			}
		} else if absorbed[first] {
			r = NodeCheck{Runs: RunsFolded}
		} else if chosen[first] {
			r = NodeCheck{Runs: RunsInteger}
		}
		r.Node, r.Op = quant.NodeName(n), n.Op.Name()
		c.Nodes = append(c.Nodes, r)
	}
	if c.Opset > c.MaxOpset {
		c.Problems = append(c.Problems, fmt.Sprintf("opset %d is newer than %d, the highest that %s loads: quantize with --opset %[2]d", c.Opset, c.MaxOpset, name))
	}
	return c, nil
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
	return fmt.Sprintf("%d operators as %s, %d stay float", c.Count(RunsInteger)+c.Count(RunsFolded), c.Activations, c.Count(RunsFloat))
}
