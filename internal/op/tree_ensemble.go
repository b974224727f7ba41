package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TreeEnsemble sends each row of the operand [N, features] down decision trees
// and puts the weights of the leaves together by target: [N, NTargets].
//
// Node i compares the feature NodesFeatureids[i] with NodesSplits[i], as
// NodesModes[i] says: ≤, <, ≥, >, =, ≠, or being one of a set (0 to 6), whose
// members stand in MembershipValues, those of one node up to a NaN. A NaN goes
// the true way where NodesMissingValueTracksTrue says so. Either way leads to a
// leaf or to another node. AggregateFunction is the mean over the trees, the
// sum, the least or the greatest (0 to 3). Weights are added in float64, tree
// by tree.
type TreeEnsemble struct {
	AggregateFunction           int            `attr:"aggregate_function,default=1"`
	LeafTargetids               []int          `attr:"leaf_targetids"`
	LeafWeights                 *tensor.Tensor `attr:"leaf_weights"`
	MembershipValues            *tensor.Tensor `attr:"membership_values"`
	NTargets                    int            `attr:"n_targets,default=1"`
	NodesFalseleafs             []int          `attr:"nodes_falseleafs"`
	NodesFalsenodeids           []int          `attr:"nodes_falsenodeids"`
	NodesFeatureids             []int          `attr:"nodes_featureids"`
	NodesHitrates               *tensor.Tensor `attr:"nodes_hitrates"`
	NodesMissingValueTracksTrue []int          `attr:"nodes_missing_value_tracks_true"`
	NodesModes                  *tensor.Tensor `attr:"nodes_modes"`
	NodesSplits                 *tensor.Tensor `attr:"nodes_splits"`
	NodesTrueleafs              []int          `attr:"nodes_trueleafs"`
	NodesTruenodeids            []int          `attr:"nodes_truenodeids"`
	PostTransform               int            `attr:"post_transform,default=0"`
	TreeRoots                   []int          `attr:"tree_roots"`
}

// Name returns "TreeEnsemble".
func (*TreeEnsemble) Name() string { return "TreeEnsemble" }

// member is the mode of a node that asks for membership in a set.
const member = 6

// trees holds the attributes in the form that Eval reads.
type trees struct {
	o       *TreeEnsemble
	splits  []float64
	weights []float64
	modes   []int64
	sets    map[int]map[float64]bool // by node
}

// read checks the attributes.
func (o *TreeEnsemble) read() (*trees, error) {
	n, leaves := len(o.NodesFeatureids), len(o.LeafTargetids)
	for _, l := range [][]int{o.NodesFalseleafs, o.NodesFalsenodeids, o.NodesTrueleafs, o.NodesTruenodeids} {
		if len(l) != n {
			return nil, fmt.Errorf("attributes of %d and %d nodes", n, len(l))
		}
	}
	if m := o.NodesMissingValueTracksTrue; m != nil && len(m) != n {
		return nil, fmt.Errorf("attributes of %d and %d nodes", n, len(m))
	}
	if o.NodesSplits == nil || o.NodesModes == nil || o.LeafWeights == nil ||
		o.NodesSplits.Len() != n || o.NodesModes.Len() != n || o.LeafWeights.Len() != leaves {
		return nil, fmt.Errorf("splits, modes or weights do not go with %d nodes and %d leaves", n, leaves)
	}
	if o.PostTransform != 0 {
		return nil, fmt.Errorf("post_transform %d; 0 is run", o.PostTransform)
	}
	if o.AggregateFunction < 0 || o.AggregateFunction > 3 || o.NTargets < 1 || o.NTargets > maxExtent {
		return nil, fmt.Errorf("aggregate_function %d of %d targets", o.AggregateFunction, o.NTargets)
	}
	t := &trees{o: o, sets: map[int]map[float64]bool{}}
	var ok bool
	if t.modes, ok = tensor.Ints(o.NodesModes); !ok {
		return nil, fmt.Errorf("modes of type %v", o.NodesModes.Type())
	}
	var err error
	if t.splits, err = decodeFloats(o.NodesSplits); err != nil {
		return nil, err
	}
	if t.weights, err = decodeFloats(o.LeafWeights); err != nil {
		return nil, err
	}
	for i, target := range o.LeafTargetids {
		if target < 0 || target >= o.NTargets {
			return nil, fmt.Errorf("leaf %d is of target %d of %d", i, target, o.NTargets)
		}
	}
	for _, r := range o.TreeRoots {
		if r < 0 || r >= n {
			return nil, fmt.Errorf("a tree begins at node %d of %d", r, n)
		}
	}
	if err := t.links(); err != nil {
		return nil, err
	}
	return t, t.members()
}

// links checks where the nodes lead. A node that leads to one before it could
// run for ever: steps are bounded by the number of nodes instead.
func (t *trees) links() error {
	o := t.o
	for i, mode := range t.modes {
		if mode < 0 || mode > member || o.NodesFeatureids[i] < 0 {
			return fmt.Errorf("node %d compares feature %d by mode %d", i, o.NodesFeatureids[i], mode)
		}
		for _, way := range [][2]int{{o.NodesTrueleafs[i], o.NodesTruenodeids[i]}, {o.NodesFalseleafs[i], o.NodesFalsenodeids[i]}} {
			most := len(t.modes)
			if way[0] != 0 {
				most = len(t.weights)
			}
			if way[1] < 0 || way[1] >= most {
				return fmt.Errorf("node %d leads to %d of %d", i, way[1], most)
			}
		}
	}
	return nil
}

// members reads the sets.
func (t *trees) members() error {
	var vals []float64
	if t.o.MembershipValues != nil {
		var err error
		if vals, err = decodeFloats(t.o.MembershipValues); err != nil {
			return err
		}
	}
	for i, mode := range t.modes {
		if mode != member {
			continue
		}
		set, k := map[float64]bool{}, 0
		for k < len(vals) && vals[k] == vals[k] {
			set[vals[k]] = true
			k++
		}
		if k == len(vals) {
			return fmt.Errorf("the members of node %d have no end", i)
		}
		t.sets[i], vals = set, vals[k+1:]
	}
	return nil
}

// Infer returns one row of targets for each row.
func (o *TreeEnsemble) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	if err := accept(plainFloat, in[0]); err != nil {
		return nil, err
	}
	if _, err := o.read(); err != nil {
		return nil, err
	}
	x, err := Merge(in[0].Shape, OfRank(2))
	if err != nil {
		return nil, err
	}
	if n, ok := x[1].Int(); ok {
		for i, f := range o.NodesFeatureids {
			if f >= n {
				return nil, fmt.Errorf("node %d compares feature %d of %d", i, f, n)
			}
		}
	}
	return []Fact{TensorFact(in[0].Type, Shape{x[0], Size(o.NTargets)})}, nil
}

// Eval runs every row through every tree.
func (o *TreeEnsemble) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	t, err := o.read()
	if err != nil {
		return nil, err
	}
	wide, err := Convert(arg(in, 0), dtype.Float64)
	if err != nil {
		return nil, err
	}
	c, err := room(out[0], dtype.Float64)
	if err != nil {
		return nil, err
	}
	src, dst, features := tensor.Data[float64](wide), tensor.Data[float64](c), wide.Shape()[1]
	if o.AggregateFunction >= 2 {
		start := math.Inf(5 - 2*o.AggregateFunction)
		for i := range dst {
			dst[i] = start
		}
	}
	for r := range c.Shape()[0] {
		row, to := src[r*features:][:features], dst[r*o.NTargets:][:o.NTargets]
		for _, root := range o.TreeRoots {
			leaf, err := t.leaf(row, root)
			if err != nil {
				return nil, err
			}
			at := &to[o.LeafTargetids[leaf]]
			switch w := t.weights[leaf]; o.AggregateFunction {
			case 0:
				*at += w / float64(len(o.TreeRoots))
			case 1:
				*at += w
			case 2:
				*at = min(*at, w)
			case 3:
				*at = max(*at, w)
			}
		}
	}
	y, err := Convert(c, out[0].Type)
	return Of(y), err
}

// leaf follows one row from a root to its leaf.
func (t *trees) leaf(row []float64, node int) (int, error) {
	o := t.o
	for range t.modes {
		leaf, next := o.NodesFalseleafs[node], o.NodesFalsenodeids[node]
		if t.holds(node, row[o.NodesFeatureids[node]]) {
			leaf, next = o.NodesTrueleafs[node], o.NodesTruenodeids[node]
		}
		if leaf != 0 {
			return next, nil
		}
		node = next
	}
	return 0, fmt.Errorf("a tree leads back to node %d", node)
}

func (t *trees) holds(node int, v float64) bool {
	if v != v && t.o.NodesMissingValueTracksTrue != nil && t.o.NodesMissingValueTracksTrue[node] != 0 {
		return true
	}
	s := t.splits[node]
	switch t.modes[node] {
	case 0:
		return v <= s
	case 1:
		return v < s
	case 2:
		return v >= s
	case 3:
		return v > s
	case 4:
		return v == s
	case 5:
		return v != s
	}
	return t.sets[node][v]
}
