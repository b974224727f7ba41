// Package pass rewrites graphs without changing what they compute: one file
// for each pass, and the lists that say which run when.
//
// A pass is a function from graph to graph. It asks operators for facts or
// matches them by type, and knows no file format, no scale and no runtime.
// Start at [Prepare] and the list prepare below; order.go states which pass
// must run before which, and why.
package pass

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/ir"
)

// Pass is one rewrite. Run reports whether it changed anything.
type Pass struct {
	Name string
	Run  func(*ir.Graph) (bool, error)
	// Pattern marks passes that replace a group of operators by one that
	// stands for it; they are left out where a peer's result is wanted.
	Pattern bool
	// Large stands for Run where what is large is computed when it is read;
	// nil: Run does that, or makes nothing large.
	Large func(*ir.Graph) (bool, error)
	// Deep marks passes that go into bodies by themselves; the others are run on
	// each body.
	Deep bool
}

// prepare is what every model goes through before anything is quantized or
// run. The list is repeated until nothing changes.
var prepare = []Pass{
	{Name: "bind_captures", Run: BindCaptures, Deep: true},
	{Name: "infer_shapes", Run: InferShapes, Deep: true},
	{Name: "fold_constants", Run: FoldConstants, Large: FoldLargeConstants, Deep: true},
	{Name: "fix_reshapes", Run: FixReshapes},
	{Name: "inline_branches", Run: InlineBranches},
	{Name: "eliminate_identity", Run: EliminateIdentity},
	{Name: "replace_sum", Run: ReplaceSum, Pattern: true},
	{Name: "fuse_layer_normalization", Run: FuseLayerNormalization, Pattern: true},
	{Name: "fuse_gelu", Run: FuseGelu, Pattern: true},
	{Name: "fuse_hard_swish", Run: FuseHardSwish, Pattern: true},
	{Name: "fuse_pad_into_conv", Run: FusePadIntoConv, Pattern: true},
	{Name: "fuse_conv_add", Run: FuseConvAdd},
	{Name: "fold_batchnorm", Run: FoldBatchNorm},
	{Name: "fuse_matmul_add", Run: FuseMatMulAdd},
	{Name: "merge_clips", Run: MergeClips},
	{Name: "eliminate_dead", Run: EliminateDead},
}

// Options changes how Prepare works.
type Options struct {
	// NoPatterns leaves out the passes that recognise groups of operators.
	NoPatterns bool
	// Large leaves large results to be computed when they are read: for a graph
	// that is looked at or written, as each reading computes them anew.
	Large bool
	// Verify checks the invariants after each pass.
	Verify bool
}

// maxRounds bounds the repetitions; graphs settle in two or three.
const maxRounds = 20

// Prepare folds constants, normalizations and dead code, recognises common
// groups of operators, and leaves types and shapes known as far as possible.
// g is changed in place. An error names the pass and the node.
func Prepare(g *ir.Graph, o Options) error {
	for range maxRounds {
		changed, err := run(g, prepare, o)
		if err != nil || !changed {
			return err
		}
	}
	return nil
}

func run(g *ir.Graph, list []Pass, o Options) (changed bool, err error) {
	for _, p := range list {
		if p.Pattern && o.NoPatterns {
			continue
		}
		if o.Large && p.Large != nil {
			p.Run = p.Large
		}
		did, err := p.everywhere(g)
		if err != nil {
			return changed, fmt.Errorf("%s: %w", p.Name, err)
		}
		changed = changed || did
		if o.Verify {
			if err := ir.Verify(g); err != nil {
				panic(fmt.Sprintf("pass %s: %v", p.Name, err))
			}
		}
	}
	return changed, nil
}

// everywhere runs a pass on a graph and its bodies.
func (p Pass) everywhere(g *ir.Graph) (bool, error) {
	changed, err := p.Run(g)
	if err != nil || p.Deep {
		return changed, err
	}
	for _, n := range g.Nodes {
		for _, b := range n.Bodies {
			did, err := p.everywhere(b)
			if err != nil {
				return changed, fmt.Errorf("%s: %w", n.Label(), err)
			}
			changed = changed || did
		}
	}
	return changed, nil
}

// InferShapes brings types and shapes up to date. It never counts as a change.
func InferShapes(g *ir.Graph) (bool, error) { return false, ir.Infer(g) }
