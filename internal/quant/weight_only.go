package quant

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/target"
)

// placeWeights stores the weights of a node as integers and leaves what it
// computes alone.
func (p *placer) placeWeights(n *ir.Node, f op.Facts, q precision, rule *target.ModeRule) {
	ws := weightsOf(n, f)
	if len(ws) == 0 {
		return
	}
	if !rule.Runs(n.Op.Name(), q.asked) {
		p.skip(n, fmt.Sprintf("%s reads no integer weights for %s", p.target.Name, n.Op.Name()), true)
		return
	}
	p.choose(n)
	for _, i := range ws {
		axis, block := p.scaled(n, f, i, q.block)
		p.addWeight(n, i, q, axis, block)
	}
}

// scaled returns what has one scale in weight i of a node: the indices of an
// axis, or block elements along it. Groups run along the input channels; where
// a channel has no more elements than a group, it is one.
func (p *placer) scaled(n *ir.Node, f op.Facts, i, block int) (axis, groups int) {
	shape := n.In[i].Const.Shape()
	rank := len(shape)
	channel, along := 0, rank-1 // tables and recurrent weights: rows
	switch n.Op.(type) {
	case *op.LSTM, *op.GRU, *op.RNN:
		if channel = 1; shape[0] > 1 {
			// Directions and gates have a scale each: a row is a group.
			if block == 0 && !p.perChannel {
				return PerTensor, 0
			}
			if block == 0 || block >= shape[along] {
				return along, max(shape[along], 1)
			}
		}
	case *op.Gather:
	case *op.Conv, *op.ConvTranspose:
		channel, _ = op.Axis(f.WeightAxis, rank)
		along = 1 - min(channel, 1)
	default:
		channel, _ = op.Axis(f.WeightAxis, rank)
		if channel == rank-1 {
			along = rank - 2
		}
	}
	switch {
	case block > 0 && shape[along] > block:
		return along, block
	case block > 0 || p.perChannel:
		return channel, 0
	}
	return PerTensor, 0
}
