package quant

import (
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// Scales are moved up by 2^-14 at a time, at most so often, which is 1.6 %.
const (
	settleStep  = 0x1p-14
	settleTimes = 256
	// settledMeans is the most elements of a mean whose sums can all be told apart:
	// of more, some always come too near.
	settledMeans = 1024
)

// settle moves the scales of what Mul and means compute from integers up a
// little, until no result lies so near the middle of two steps that rounding it
// depends on how a runtime orders its float32 operations: ONNX divides what was
// dequantized, LiteRT multiplies the product of integers by one number, and one
// such step in an early layer changes all that follow. owners are the points of
// values with parameters of their own.
//
// There are few different products of two 8-bit integers, and few sums of a
// mean's, so that all of them can be tried.
func (p *Plan) settle(g *ir.Graph, owners map[string]int) {
	products := productsOfBytes()
	for _, n := range g.Nodes {
		y := result(n)
		if y == nil {
			continue
		}
		i, ok := owners[y.Name]
		if !ok || p.Points[i].Type.Bits() > 8 || p.Points[i].Fixed != nil || p.widened(y.Name) {
			continue
		}
		scale := float64(p.Params[i].Scale[0])
		switch n.Op.(type) {
		case *op.Mul:
			a, aok := p.integersAt(n, 0, owners)
			b, bok := p.integersAt(n, 1, owners)
			if aok && bok {
				scale = tie{unit: float64(a.Scale[0]) * float64(b.Scale[0]), sums: products, relative: 8}.settled(scale)
			}
		case *op.ReduceMean, *op.GlobalAveragePool:
			count, known := averaged(n)
			if x, ok := p.integersAt(n, 0, owners); ok && known && count <= settledMeans {
				// What ONNX dequantizes and adds up is off by roundings that partly
				// cancel; XNNPACK sums integers as they are stored, and takes the
				// zero point off and adds that of the result behind the product.
				scale = tie{
					unit: float64(x.Scale[0]) / float64(count), sums: upTo(255 * count), relative: 8 + float64(2*math.Sqrt(float64(count))),
					absolute: 4 * 128 * (float64(x.Scale[0])/scale + 1),
				}.settled(scale)
			}
		}
		p.Params[i].Scale[0] = float32(scale)
	}
}

// widened reports whether the parameters of a value are those of others, too,
// which may have been read before it is computed.
func (p *Plan) widened(value string) bool {
	return slices.ContainsFunc(p.Points, func(pt Point) bool { return pt.Group == value && pt.Joins })
}

// integersAt returns the parameters of 8-bit integers that a node reads.
func (p *Plan) integersAt(n *ir.Node, index int, owners map[string]int) (affine.Params, bool) {
	if index >= len(n.In) || n.In[index] == nil {
		return affine.Params{}, false
	}
	at := -1
	for k, pt := range p.Points {
		if pt.Role != Activation || pt.Value != n.In[index].Name {
			continue
		}
		if at < 0 && pt.Uses == nil || slices.ContainsFunc(pt.Uses, func(u Use) bool { return u.Node == firstOutput(n) }) {
			at = k
		}
	}
	if at >= 0 && p.Points[at].Group != "" {
		k, ok := owners[p.Points[at].Group]
		if !ok {
			return affine.Params{}, false
		}
		at = k
	}
	if at < 0 || p.Points[at].Type.Bits() > 8 || len(p.Params[at].Scale) != 1 {
		return affine.Params{}, false
	}
	return p.Params[at], true
}

// averaged returns over how many elements a node takes the mean.
func averaged(n *ir.Node) (int, bool) {
	if n.In[0].Shape == nil || n.Out[0].Shape == nil {
		return 0, false
	}
	size := func(v *ir.Value) (elements, open int) {
		elements = 1
		for _, d := range v.Shape {
			if s, ok := d.Int(); ok {
				elements *= max(s, 1)
			} else {
				open++
			}
		}
		return elements, open
	}
	in, openIn := size(n.In[0])
	out, openOut := size(n.Out[0])
	return in / out, openIn == openOut && in%out == 0
}

// tie says which results come too near the middle of two steps.
type tie struct {
	// unit is what an integer stands for; sums says of integers from 0 on whether
	// they come up.
	unit float64
	sums []bool
	// relative and absolute count roundings of float32: of the result itself, and
	// of numbers of size 1.
	relative, absolute float64
}

// settled returns the least of the scales above the given one for which the
// fewest of the sums come too near.
func (t tie) settled(scale float64) float64 {
	best, least := scale, math.MaxInt
	for k := range settleTimes {
		moved := float64(float32(scale * (1 + float64(float64(k)*settleStep))))
		if near := t.count(moved); near < least {
			best, least = moved, near
		}
		if least == 0 {
			break
		}
	}
	return best
}

// count returns how many of the sums come too near the middle of two of the 255
// steps of a scale. Next to each middle there are two integers that may.
func (t tie) count(scale float64) (count int) {
	ratio := t.unit / scale
	for step := range 255 {
		middle := float64(step) + 0.5
		margin := 0x1p-24 * (float64(t.relative*middle) + t.absolute)
		below := int(middle / ratio)
		for s := below; s <= below+1 && s < len(t.sums); s++ {
			if t.sums[s] && math.Abs(float64(float64(s)*ratio)-middle) <= margin {
				count++
			}
		}
	}
	return count
}

// productsOfBytes says which integers are the absolute value of a product of two
// differences of 8-bit integers.
func productsOfBytes() []bool {
	is := make([]bool, 255*255+1)
	for a := range 256 {
		for b := range 256 {
			is[a*b] = true
		}
	}
	return is
}

// upTo says that integers from 0 to n are sums.
func upTo(n int) []bool {
	is := make([]bool, n+1)
	for i := range is {
		is[i] = true
	}
	return is
}
