package quant

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/target"
)

// placeOther places a node that is dynamic, has quantized weights alone, or is
// of a type of 16 bits.
func (p *placer) placeOther(n *ir.Node, f op.Facts, q precision) {
	rule := p.target.Mode(string(q.mode))
	switch q.mode {
	case Float16, BFloat16:
		p.placeHalf(n, q, rule)
		return
	case WeightOnly:
		p.placeWeights(n, f, q, rule)
		return
	}
	if p.parity && n.Op.Name() == "Conv" {
		q.asked = true // the peer's default set has it
	}
	if !rule.Runs(n.Op.Name(), q.asked) {
		if why := p.notDynamic(n, f, rule); why != "" {
			p.skip(n, why, q.asked || !slices.Contains(rule.Asked, n.Op.Name()))
		}
		return
	}
	switch o := n.Op.(type) {
	case *op.Gather:
		p.placeTable(n, q)
	case *op.LSTM:
		p.placeCell(n, o, q)
	default:
		p.placeProduct(n, f, q)
	}
}

// notDynamic says why a node with weights that the target has no dynamic form
// of stays float; "" where nothing was to be expected.
func (p *placer) notDynamic(n *ir.Node, f op.Facts, rule *target.ModeRule) string {
	name := n.Op.Name()
	switch {
	case slices.Contains(rule.Asked, name):
		return fmt.Sprintf("quantizing what it reads takes longer than it saves; --override op:%s=dynamic does it", name)
	case len(weightsOf(n, f)) > 0:
		return fmt.Sprintf("%s has no dynamic form of %s", p.target.Name, name)
	}
	return ""
}

// weightsOf returns the operands of n that are constant weights: matrices of
// products, tables, the matrices of recurrent cells.
func weightsOf(n *ir.Node, f op.Facts) []int {
	candidates := []int{f.Weight}
	switch n.Op.(type) {
	case *op.LSTM, *op.GRU, *op.RNN:
		candidates = []int{1, 2}
	case *op.Gather:
		candidates = []int{0}
	}
	return slices.DeleteFunc(candidates, func(i int) bool {
		return i < 0 || i >= len(n.In) || n.In[i] == nil || n.In[i].Const == nil || n.In[i].Type != dtype.Float32 || len(n.In[i].Shape) < 2
	})
}

// placeProduct makes a product, or a convolution, dynamic: its activation is
// quantized with the range it turns out to have, its weight is stored in
// integers, and what is added to it stays real.
func (p *placer) placeProduct(n *ir.Node, f op.Facts, q precision) {
	rule := p.target.Mode(string(q.mode))
	if why := p.unfit(n, f); why != "" {
		p.skip(n, why, true)
		return
	}
	w := n.In[f.Weight]
	if size := w.Const.Len(); size < rule.LeastElements && !q.asked {
		p.skip(n, fmt.Sprintf("its weight has %d elements, and files for %s keep those below %d as floats", size, p.target.Name, rule.LeastElements), false)
		return
	}
	name := n.Op.Name()
	channels := slices.Contains(rule.Channels, name)
	if a, err := op.Axis(f.WeightAxis, len(w.Shape)); channels && (err != nil || w.Const.Shape()[a] < 2) {
		p.skip(n, fmt.Sprintf("%s runs it so only with weights of several channels", p.target.Name), true)
		return
	}
	axis := PerTensor
	if p.perChannel || channels {
		if _, conv := n.Op.(*op.Conv); !conv || !p.parity { // the peer has one scale for filters
			axis, _ = op.Axis(f.WeightAxis, len(w.Shape))
		}
	}
	p.choose(n)
	p.addLive(n, reading{n.In[0], p.rowsOf(n, f)}, q)
	p.addWeight(n, f.Weight, q, axis, 0)
}

// addLive adds the point of what operand 0 of a node reads, once for all nodes
// that read it alike.
func (p *placer) addLive(n *ir.Node, read reading, q precision) {
	use := Use{firstOutput(n), 0}
	if i, ok := p.dynamic[read]; ok {
		p.out.Points[i].Uses = append(p.out.Points[i].Uses, use)
		return
	}
	p.dynamic[read] = len(p.out.Points)
	p.out.Points = append(p.out.Points, Point{Value: read.value.Name, Role: Live, Uses: []Use{use}, Type: q.activation, Axis: PerTensor, Rows: read.rows})
}

// reading is a value as products read it: with a range for each row of so many
// elements, or with 0 for all.
type reading struct {
	value *ir.Value
	rows  int
}

// rowsOf returns the length of the rows of what a product reads where each has a
// range, else 0: what a convolution reads has no rows.
func (p *placer) rowsOf(n *ir.Node, f op.Facts) int {
	if !p.perRow && !slices.Contains(p.target.Mode(string(Dynamic)).RowsOf, n.Op.Name()) {
		return 0
	}
	w := n.In[f.Weight].Const
	switch o := n.Op.(type) {
	case *op.Gemm:
		if o.TransB {
			return w.Shape()[1]
		}
	case *op.MatMul:
	default:
		return 0
	}
	return w.Shape()[0]
}

// resolveRows checks whether activations may have a range for each row.
func (s *settings) resolveRows() error {
	s.perRow = s.recipe.Activations.Granularity == perRow
	switch rule := s.target.Mode(string(Dynamic)); {
	case !s.perRow:
	case s.mode != Dynamic:
		return diag.Usagef("activations of granularity %s: mode %s has one range for a tensor, only mode %s has ranges of rows", perRow, s.mode, Dynamic).Note("--mode %s", Dynamic)
	case rule == nil || !rule.Rows || s.parity:
		e := diag.Usagef("activations of granularity %s: %s quantizes a tensor with one range, and has no form for more", perRow, s.target.Name)
		if s.parity {
			e = diag.Usagef("activations of granularity %s: the peer of --parity has one range for a tensor", perRow)
		}
		return e.Note("--target octavo has a range for each row, where --parity is not given").Note("--activation-granularity %s, the default, runs everywhere", perTensor)
	}
	return nil
}

// unfit says why a product cannot be dynamic; "" if it can.
func (p *placer) unfit(n *ir.Node, f op.Facts) string {
	x, w := n.In[0], n.In[f.Weight]
	switch o := n.Op.(type) {
	case *op.Gemm:
		if o.TransA || o.Alpha != 1 || o.Beta != 1 && len(n.In) > 2 && n.In[2] != nil {
			return "its factors or its transposed input have no integer form"
		}
	case *op.Conv:
		if len(w.Shape) < 3 {
			return "its weight has no known shape"
		}
	}
	switch {
	case w == nil || w.Const == nil:
		return "its weight is computed, not constant"
	case x.Const != nil:
		return "none of its inputs is computed"
	case x.Type != dtype.Float32 || w.Type != dtype.Float32:
		return fmt.Sprintf("its input %q is %v", x.Name, x.Type)
	case len(w.Shape) < 2:
		return "its weight is a vector"
	case n.Op.Name() == "MatMul" && len(w.Shape) != 2:
		return "its weight is a stack of matrices"
	case len(x.Shape) < 2:
		return "the rank of its input is not known, or below 2"
	}
	return ""
}

// leastTable is the number of elements from which tables are stored in integers:
// those that have fewer are a few kilobytes, which is less than what it takes to
// make floats of rows, and each of their rows is read again and again, so that its
// error is there in every result.
const leastTable = 1 << 12

// placeTable stores a table of constants, of which a Gather takes rows, in
// integers. Rows have a scale each, but for the peer's sake.
func (p *placer) placeTable(n *ir.Node, q precision) {
	o := n.Op.(*op.Gather)
	w := n.In[0]
	if w == nil || w.Const == nil || w.Type != dtype.Float32 {
		return // it moves what is computed
	}
	if axis, err := op.Axis(o.Axis, len(w.Shape)); err != nil || axis != 0 || len(w.Shape) < 2 {
		p.skip(n, "it does not take rows of a table", true)
		return
	}
	if size := w.Const.Len(); size < leastTable && !q.asked && !p.parity {
		p.skip(n, fmt.Sprintf("its table has %d elements, and those below %d gain nothing as integers; --override op:Gather=dynamic stores them so", size, leastTable), false)
		return
	}
	p.choose(n)
	axis := 0
	if !p.perChannel || p.parity {
		axis = PerTensor
	}
	if p.parity {
		q.weight = dtype.Uint8
	}
	p.addWeight(n, 0, q, axis, 0)
}

// fewWeights is the number of weights up to which their scale is searched for in
// mode dynamic: of more, the error is the same with any that covers them.
const fewWeights = 256

// addWeight adds the point of a weight, once for all nodes that read it alike.
func (p *placer) addWeight(n *ir.Node, i int, q precision, axis, block int) {
	v := n.In[i]
	use := Use{firstOutput(n), i}
	for k := range p.out.Points {
		pt := &p.out.Points[k]
		if pt.Role == Weight && pt.Value == v.Name && pt.Axis == axis && pt.Block == block && pt.Type == q.weight && pt.Uses != nil {
			pt.Uses = append(pt.Uses, use)
			return
		}
	}
	pt := Point{Value: v.Name, Role: Weight, Uses: []Use{use}, Type: q.weight, Symmetric: p.symmetric(q.weight), Axis: axis, Block: block}
	if size := v.Const.Len(); q.mode == Dynamic && p.smooth && axis != PerTensor && size > 0 && size <= fewWeights*v.Const.Shape()[axis] {
		pt.Algorithm = MSEClip
	}
	if q.mode == WeightOnly {
		pt.Algorithm, pt.Mirrored = p.algorithm, len(p.target.Mode(string(WeightOnly)).NBits) > 0
	}
	p.out.Points = append(p.out.Points, pt)
}
