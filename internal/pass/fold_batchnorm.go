package pass

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// FoldBatchNorm folds a BatchNormalization into the Conv, ConvTranspose or
// Gemm whose output it reads.
//
// Before: y = BatchNormalization(Conv(x, W, b), γ, β, μ, σ²)
// After:  y = Conv(x, W·s, (b−μ)·s+β)   with s = γ/√(σ²+ε) per output channel
//
// Conditions: weights, bias and statistics are constant float32; nothing else
// reads the value between. The steps are float32 in ONNX Runtime's order (docs
// numerics: bit contract, item 11), so that its folded weights come out equal.
// Large weights are folded when they are read, not copied.
func FoldBatchNorm(g *ir.Graph) (bool, error) {
	m := newMatcher(g)
	names := ir.NewNamer(g)
	changed := false
	for _, bn := range g.Nodes {
		o, ok := bn.Op.(*op.BatchNormalization)
		if !ok || len(bn.In) != 5 {
			continue
		}
		p := m.prod[bn.In[0]]
		if p == nil || !m.only(bn.In[0]) || !allFloat32(bn.In[1:]) {
			continue
		}
		axis, ok := outputAxis(p)
		if !ok || len(p.In) < 2 || !allFloat32(p.In[1:2]) || len(p.In) > 2 && p.In[2] != nil && !allFloat32(p.In[2:3]) {
			continue
		}
		if err := foldInto(p, bn, o.Epsilon, axis, names); err != nil {
			return changed, fmt.Errorf("%s: %w", bn.Label(), err)
		}
		p.Out[0] = bn.Out[0]
		m.prod[p.Out[0]] = p
		bn.In, bn.Out = nil, nil
		changed = true
	}
	if !changed {
		return false, nil
	}
	kept := g.Nodes[:0]
	for _, n := range g.Nodes {
		if len(n.Out) > 0 {
			kept = append(kept, n)
		}
	}
	g.Nodes = kept
	return true, nil
}

// outputAxis returns the output-channel axis of the node's weight where the
// node is one that a scale per output channel can be folded into.
func outputAxis(n *ir.Node) (int, bool) {
	switch o := n.Op.(type) {
	case *op.Conv:
		return 0, true
	case *op.ConvTranspose:
		return 1, o.Group == 1
	case *op.Gemm:
		if o.Alpha != 1 || o.Beta != 1 {
			return 0, false
		}
		// A bias that is not one row cannot take a shift per column.
		if len(n.In) > 2 && n.In[2] != nil && len(n.In[2].Shape) != 1 {
			return 0, false
		}
		if o.TransB {
			return 0, true
		}
		return 1, true
	}
	return 0, false
}

func allFloat32(vs []*ir.Value) bool {
	for _, v := range vs {
		if v == nil || v.Const == nil || v.Type != dtype.Float32 {
			return false
		}
	}
	return true
}

func foldInto(n, bn *ir.Node, epsilon float32, axis int, names *ir.Namer) error {
	w := n.In[1].Const
	if w.Rank() <= axis {
		return fmt.Errorf("the weight %v has no axis %d", w, axis)
	}
	channels := w.Shape()[axis]
	var stats [4][]float32
	for i := range stats {
		stats[i] = tensor.Data[float32](bn.In[i+1].Const)
		if len(stats[i]) != channels {
			return fmt.Errorf("%d elements in %q for %d channels", len(stats[i]), bn.In[i+1].Name, channels)
		}
	}
	gamma, beta, mean, variance := stats[0], stats[1], stats[2], stats[3]
	scale := make([]float32, channels)
	for c := range scale {
		// float32 square root: the float64 one rounded is correctly rounded.
		scale[c] = gamma[c] / float32(math.Sqrt(float64(variance[c]+epsilon)))
	}
	bias := make([]float32, channels)
	if len(n.In) > 2 && n.In[2] != nil {
		old := tensor.Data[float32](n.In[2].Const)
		if len(old) != channels {
			return fmt.Errorf("%d elements in bias %q for %d channels", len(old), n.In[2].Name, channels)
		}
		for c := range bias {
			bias[c] = float32((old[c]-mean[c])*scale[c]) + beta[c]
		}
	} else {
		for c := range bias {
			bias[c] = beta[c] - float32(mean[c]*scale[c])
		}
	}
	scaled, err := scaleAxis(w, scale, axis)
	if err != nil {
		return err
	}
	weight := ir.NewConst(names.Name(n.In[1].Name+"_folded"), scaled)
	b := ir.NewConst(names.Name(n.In[1].Name+"_folded_bias"), tensor.FromSlice(bias, channels))
	n.In = []*ir.Value{n.In[0], weight, b}
	return nil
}

// eager is the size up to which folded weights are computed at once.
const eager = 1 << 16

// scaleAxis returns w with each slice of the axis multiplied by its scale.
func scaleAxis(w *tensor.Tensor, scale []float32, axis int) (*tensor.Tensor, error) {
	inner := 1
	for _, d := range w.Shape()[axis+1:] {
		inner *= d
	}
	w = w.ByParts()
	multiply := func(off int64, dst []float32) error {
		src, err := tensor.Part(w, int(off), int(off)+len(dst), dst)
		if err != nil {
			return err
		}
		for i := 0; i < len(dst); {
			at := int(off) + i
			end := min(i+inner-at%inner, len(dst))
			c := at / inner % len(scale)
			eltwise.Mul(dst[i:end], src[i:end], scale[c:c+1])
			i = end
		}
		return nil
	}
	if w.Storage().Len() <= eager {
		out := tensor.New(dtype.Float32, w.Shape()...)
		return out, multiply(0, tensor.Data[float32](out))
	}
	return tensor.Computed(dtype.Float32, w.Shape(), func(off int64, dst []byte) error {
		t, err := tensor.FromBytes(dtype.Float32, []int{len(dst) / 4}, dst)
		if err != nil {
			return err
		}
		return multiply(off/4, tensor.Data[float32](t))
	}), nil
}
