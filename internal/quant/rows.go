package quant

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// rows holds rows of what a layer reads, some of each sample.
type rows struct {
	node          *ir.Node
	weight        []int               // its shape
	most          func(width int) int // rows of all samples
	width, groups int
	of            [][]float32 // by sample
}

// newRows is for so many samples.
func newRows(n *ir.Node, weight []int, samples int, most func(width int) int) *rows {
	return &rows{node: n, weight: weight, of: make([][]float32, samples), most: most}
}

// take keeps rows of the input t of a sample.
func (r *rows) take(sample int, t *tensor.Tensor) error {
	if t == nil {
		return fmt.Errorf("what it reads is not known")
	}
	u, err := r.node.Op.(op.Unrolled).Unroll(t.Shape(), r.weight)
	if err != nil {
		return err
	}
	all := u.Groups * u.Width
	data := tensor.Data[float32](t)
	pick := picks(u.Count, sample, (r.most(u.Width)+len(r.of)-1)/len(r.of))
	out := make([]float32, len(pick)*all)
	for k, p := range pick {
		u.Gather(out[k*all:k*all+all], data, p)
	}
	r.of[sample] = out
	if sample == 0 {
		r.width, r.groups = u.Width, u.Groups
	}
	return nil
}

// all returns the rows of all samples.
func (r *rows) all() []float32 { return slices.Concat(r.of...) }
