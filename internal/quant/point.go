package quant

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/quant/observe"
)

// Role says what a value is to the nodes that read it.
type Role uint8

// The roles of quantized values.
const (
	// Activation: computed at run time (or a constant operand treated alike).
	Activation Role = iota
	// Weight: a constant that is stored quantized.
	Weight
	// Bias: a constant added to the accumulator, stored as int32.
	Bias
	// Live: computed at run time, and quantized with the range it then has.
	Live
)

// Use names one place where a node reads a value: the node by its first
// output, which is unique, and the operand's index.
type Use struct {
	Node  string
	Index int
}

// Point is a value that is quantized, by name.
type Point struct {
	Value string
	Role  Role
	// Uses are the reads that see the quantized value; nil: all of them.
	Uses []Use
	// Group is the value whose parameters are shared; "" for its own.
	Group string
	// Joins says that the range of this value, or of this constant, widens that
	// of its group.
	Joins bool
	// Again says that the uses read the value quantized a second time, behind
	// the pair that it has for all.
	Again bool
	Type  dtype.Type
	// Symmetric forces the zero point.
	Symmetric bool
	// Axis is the channel axis of a weight, PerTensor for one scale.
	Axis int
	// Block is how many elements along Axis share a scale; 0: all at an index
	// of Axis do.
	Block int
	// Rows is the length of the rows of a live activation that have a range each;
	// 0: there is one range for all.
	Rows int
	// Mirrored says that scales of a weight may be negative.
	Mirrored bool
	// Algorithm is how a weight of mode weight-only finds its integers.
	Algorithm string
	// Ranged is the value whose observed range stands for this one's; "" for
	// its own.
	Ranged string
	// Limit is a range outside which the value cannot lie; nil: unknown.
	Limit *Limit
	// Fixed are parameters that the target prescribes.
	Fixed *affine.Params
	// Input and Scale name the values whose scales make a bias's: the
	// activation and the weight of its node. Factor multiplies it.
	Input, Scale string
	Factor       float64
	// Observer replaces the recipe's for this value.
	Observer *observe.Method
}

// PerTensor is the Axis of a weight with a single scale.
const PerTensor = -1

// Limit is a closed range.
type Limit struct{ Lo, Hi float64 }

// Skip is a node that stays float, and why.
type Skip struct {
	Node   string `json:"node"`
	Op     string `json:"op"`
	Reason string `json:"reason"`
	// Wanted says that the node was to be quantized: what --strict refuses. The
	// others are those that the recipe excludes, and those that read floats
	// because of that.
	Wanted bool `json:"wanted"`
}

// Placement says where a graph is quantized, before any statistics.
type Placement struct {
	Points  []Point
	Skipped []Skip
	// Absorbed are the clamping nodes, by first output, that vanish into the
	// range of the value they compute.
	Absorbed []string
	// Nodes are the nodes that will run on integers, or with weights stored as
	// integers, by first output.
	Nodes []string
	// Modes say how nodes of other modes than static compute.
	Modes []NodeMode
	// Halves are the nodes that are to compute in 16 bits, by first output.
	Halves []Half
	// Cells are the LSTMs that are dynamic.
	Cells []Cell
	// Measured are the values whose ranges tell, where there are samples,
	// whether 16 bits hold them.
	Measured []string
	// Kept are the parameters that the graph has already, by what they
	// dequantize.
	Kept []Kept
	// Edges are the inputs and outputs whose type or layout is to change, for
	// pass.WriteEdges after Apply.
	Edges []pass.Edge
}

// NodeMode is a node, by its name, that is not quantized with fixed ranges.
type NodeMode struct {
	Node string `json:"node"`
	Op   string `json:"op"`
	Mode Mode   `json:"mode"`
	// Precision says what the mode made of the node.
	Precision string `json:"precision"`
}

// Half is a node that computes, or only stores its constants, in a type of 16
// bits.
type Half struct {
	Node    string
	Type    dtype.Type
	Storage bool
	// Name and Op are the node's; Values are what it reads and computes, where
	// measurements decide.
	Name, Op string
	Values   []string
}

// Kept is a value that the graph dequantizes already.
type Kept struct {
	Value  string
	Params affine.Params
}

// kept returns the parameters that a value had from the beginning.
func (p *Placement) kept(value string) (affine.Params, bool) {
	for _, k := range p.Kept {
		if k.Value == value {
			return k.Params, true
		}
	}
	return affine.Params{}, false
}

// Watched returns the names of the values whose ranges must be observed.
func (p *Placement) Watched() []string {
	var out []string
	for _, pt := range p.Points {
		if pt.Role == Activation && (pt.Group == "" || pt.Joins) && pt.Fixed == nil {
			name := pt.Value
			if pt.Ranged != "" {
				name = pt.Ranged
			}
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}
