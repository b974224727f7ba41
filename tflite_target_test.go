package octavo

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/target"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// liteTargets are those that follow the quantization specification of
// TensorFlow Lite, with the types of activations they take.
var liteTargets = []struct {
	name, activations string
}{{"litert", "int8"}, {"litert", "int16"}, {"tflite-micro", "int8"}, {"cmsis-nn", "int8"}, {"cmsis-nn", "int16"}, {"edgetpu", "int8"}, {"ethos-u", "int8"}, {"ethos-u", "int16"}}

// TestFilesFollowTheLiteSpecification quantizes each model for each of those
// targets and holds the written pairs against the rules in the target's data.
func TestFilesFollowTheLiteSpecification(t *testing.T) {
	models := map[string]string{}
	for _, m := range []string{"digits_mlp/digits_mlp.op13", "digits_resnet/digits_resnet.op13", "digits_mobilenet/digits_mobilenet.op13", "digits_lstm/digits_lstm.op13", "digits_vit/digits_vit.op14"} {
		models[filepath.Base(m)] = filepath.Join(fixtures, m+".onnx")
	}
	for _, m := range []string{"kws", "resnet8", "vww", "mnist_conv_fc", "ad"} {
		models[m] = filepath.Join(realModels, "derived", m+".onnx")
	}
	held := map[string]int{} // how often each rule was looked at
	for _, name := range slices.Sorted(maps.Keys(models)) {
		path := models[name]
		if _, err := os.Stat(path); err != nil {
			t.Logf("without %s: %v", name, err)
			continue
		}
		for _, to := range liteTargets {
			if testing.Short() && (name == "vww" || to.name != "litert") {
				continue
			}
			t.Run(fmt.Sprintf("%s on %s with %s", name, to.name, to.activations), func(t *testing.T) {
				m := open(t, path)
				samples, err := m.RandomSamples(4, 7)
				if err != nil {
					t.Fatal(err)
				}
				r := Recipe{Mode: Static, Target: to.name, Algorithms: []string{"none"}}
				r.Activations.DType, r.Activations.Observer = to.activations, "minmax"
				q, err := Quantize(context.Background(), m, r, WithCalibration(samples))
				if err != nil {
					t.Fatal(err)
				}
				tg, err := target.Load(to.name)
				if err != nil {
					t.Fatal(err)
				}
				c := newLiteCheck(t, q.graph, tg, held)
				c.run(q.Report.Float)
			})
		}
	}
	if len(held) == 0 {
		t.Skip("neither the fixtures nor the real models are here")
	}
	for _, rule := range []string{"fixed", "share", "join", "bias", "one scale", "channels"} {
		if held[rule] == 0 && !(rule == "one scale" && testing.Short()) { // litert has none
			t.Errorf("no model shows the rule %q: %v", rule, held)
		}
	}
}

// TestLiteTargetKeepsAccuracy: by the rules of TensorFlow Lite, where more
// becomes integers and scales are shared, models lose no more than by default;
// with 16-bit activations, which the engine runs slowly, two are tried.
func TestLiteTargetKeepsAccuracy(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	for _, s := range subjects(t) {
		if len(s.test) > 1000 {
			s.test = every(s.test, 10, true)
		}
		for _, activations := range []string{"int8", "int16"} {
			if activations == "int16" && s.name != "digits_mlp" && s.name != "digits_resnet" {
				continue
			}
			t.Run(s.name+" with "+activations, func(t *testing.T) {
				r := Recipe{Mode: Static, Target: "litert"}
				r.Activations.DType = activations
				v := judge(t, s, r)
				f, q := v.Models[0], v.Models[1]
				t.Logf("%d samples: float %.2f %%, quantized %.2f %%, drop %.2f points (p = %.2f), agreement %.2f %%, SQNR %.1f dB",
					v.Samples, 100*f.Accuracy.Value, 100*q.Accuracy.Value, 100*q.Drop.Value, q.Drop.P, 100**q.Agreement, *q.SQNR)
				if 100*q.Drop.Value > s.maxDrop {
					t.Errorf("drop of %.2f points, allowed %.2f", 100*q.Drop.Value, s.maxDrop)
				}
			})
		}
	}
}

// TestLiteTargetKeepsTransformers: attention weights, sums that are normalized
// and smoothed normalizations make a transformer for TensorFlow Lite nearly as
// exact as for the default target.
func TestLiteTargetKeepsTransformers(t *testing.T) {
	found := false
	for _, s := range subjects(t) {
		if s.name != "digits_vit" {
			continue
		}
		found = true
		lite, standard := judge(t, s, Recipe{Mode: Static, Target: "litert"}), judge(t, s, Recipe{Mode: Static})
		a, b := *lite.Models[1].SQNR, *standard.Models[1].SQNR
		t.Logf("%d samples: %.1f dB, by default %.1f dB; agreement with the float model %.2f %%", lite.Samples, a, b, 100**lite.Models[1].Agreement)
		if a < b-4 {
			t.Errorf("%.1f dB, and %.1f dB by default", a, b)
		}
	}
	if !found {
		t.Skip("the fixtures are not here")
	}
}

// TestLiteAgreesWithONNX: one calibration gives a file of either form, each run in
// the arithmetic of its runtime, and the two say the same.
func TestLiteAgreesWithONNX(t *testing.T) {
	if testing.Short() {
		t.Skip("quantizes seven networks")
	}
	for _, s := range subjects(t) {
		t.Run(s.name, func(t *testing.T) {
			if len(s.test) > 1000 {
				s.test = every(s.test, 10, true)
			}
			q, err := Quantize(context.Background(), open(t, s.path), Recipe{Mode: Static, Target: "litert"}, WithCalibration(inputsOf(s.calib)))
			if err != nil {
				t.Fatal(err)
			}
			lite, _, err := savedAs(t, q, "model.tflite")
			if err != nil {
				t.Fatal(err)
			}
			onnx, _, err := savedAs(t, lite, "model.onnx")
			if err != nil {
				t.Fatal(err)
			}
			v, err := Validate(context.Background(), onnx, []*Model{lite}, labelled(s.test), ValidateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			sqnr, same := *v.Models[1].SQNR, *v.Models[1].Agreement
			t.Logf("%d samples: %.1f dB, the same answer in %.2f %%", v.Samples, sqnr, 100*same)
			if sqnr < 30 && same < 0.99 {
				t.Errorf("%.1f dB, and the same answer in %.2f %% alone", sqnr, 100*same)
			}
		})
	}
}

// liteCheck reads a quantized graph as the converter to TensorFlow Lite does.
type liteCheck struct {
	*testing.T
	g    *ir.Graph
	tg   *target.Target
	prod map[*ir.Value]*ir.Node
	uses map[*ir.Value][]ir.Use
	held map[string]int
}

func newLiteCheck(t *testing.T, g *ir.Graph, tg *target.Target, held map[string]int) *liteCheck {
	return &liteCheck{t, g, tg, g.Producers(), g.Uses(), held}
}

// run checks every node that the target has a rule for: it runs on integers by
// that rule, or its name is among the skipped (integers may stand around it all
// the same), or it only moves floats, or is a limit that belongs to another.
func (c *liteCheck) run(skipped []Skip) {
	integers := 0
	for _, n := range c.g.Nodes {
		switch n.Op.(type) {
		case *op.QuantizeLinear, *op.DequantizeLinear:
			c.params(n)
			continue
		}
		r := c.tg.Rule(n.Op.Name())
		if r == nil || len(n.Out) == 0 || n.Out[0] == nil || n.Out[0].Type != dtype.Float32 {
			continue
		}
		f := op.NoFacts()
		if q, ok := n.Op.(op.Quantizable); ok {
			f = q.Quantization()
		}
		if slices.ContainsFunc(skipped, func(s Skip) bool { return s.Node == n.Name || s.Node == n.Out[0].Name }) {
			continue
		}
		in, out, whole := c.around(n, f)
		if whole && f.Moves && !c.tg.Accepts(r.Op, out.Type) {
			continue
		}
		if !whole {
			if f.Moves || r.Kind == target.Clamp && c.fused(n.In[0]) {
				continue
			}
			c.Errorf("%s (%s): the target has a rule for it, and it runs on floats without being listed", n.Name, n.Op.Name())
			continue
		}
		integers++
		c.node(n, f, r, in, out)
	}
	if integers == 0 {
		c.Errorf("nothing runs on integers")
	}
}

// fused reports whether what computes v has limits behind it as part of it.
func (c *liteCheck) fused(v *ir.Value) bool {
	n := c.prod[v]
	if n == nil {
		return false
	}
	r := c.tg.Rule(n.Op.Name())
	return r != nil && r.Fuses
}

// params checks one pair's half: types, zero points and the least range.
func (c *liteCheck) params(n *ir.Node) {
	p, ok, err := ir.ParamsOf(n)
	if err != nil || !ok {
		c.Errorf("%s: no parameters (%v)", n.Name, err)
		return
	}
	if n.In[0].Const != nil { // a weight, a bias or an operand, which their nodes check
		return
	}
	if !p.IsPerTensor() || !slices.Contains(c.tg.Activations.Types, p.Type.String()) {
		c.Errorf("%s: an activation of %v in %d scales", n.Name, p.Type, len(p.Scale))
	}
	if c.tg.Activations.IsSymmetric(p.Type) && p.Zero(0) != 0 {
		c.Errorf("%s: zero point %d of %v, want 0", n.Name, p.Zero(0), p.Type)
	}
	lo, hi := p.Type.Range()
	if p.Zero(0) < lo || p.Zero(0) > hi {
		c.Errorf("%s: zero point %d is outside %v", n.Name, p.Zero(0), p.Type)
	}
	if width := float64(p.Scale[0]) * float64(hi-lo); width < 0.99*c.tg.Activations.MinRange {
		c.Errorf("%s: a range of width %g, want %g at least", n.Name, width, c.tg.Activations.MinRange)
	}
}

// around returns the parameters of n's operands, by index, and of what it
// computes; false where one of them is float.
func (c *liteCheck) around(n *ir.Node, f op.Facts) (map[int]affine.Params, affine.Params, bool) {
	in := map[int]affine.Params{}
	for i, v := range n.In {
		if v == nil || v.Type != dtype.Float32 || f.Data != nil && !slices.Contains(f.Data, i) && i != f.Weight && i != f.Bias {
			continue
		}
		d := c.prod[v]
		if d == nil && f.Bounds && i > 0 {
			continue // the ends of a Clip
		}
		if d == nil {
			return nil, affine.Params{}, false
		}
		p, ok, err := ir.ParamsOf(d)
		if _, dq := d.Op.(*op.DequantizeLinear); !dq || !ok || err != nil {
			return nil, affine.Params{}, false
		}
		in[i] = p
	}
	u := c.uses[n.Out[0]]
	if len(u) == 1 && slices.Contains([]string{"Relu", "Clip"}, u[0].Node.Op.Name()) {
		u = c.uses[u[0].Node.Out[0]]
	}
	if len(u) != 1 {
		return nil, affine.Params{}, false
	}
	p, ok, err := ir.ParamsOf(u[0].Node)
	_, q := u[0].Node.Op.(*op.QuantizeLinear)
	return in, p, q && ok && err == nil
}

// node holds one node on integers against its rule.
func (c *liteCheck) node(n *ir.Node, f op.Facts, r *target.Rule, in map[int]affine.Params, out affine.Params) {
	x := in[0]
	if len(f.Data) > 0 {
		x = in[f.Data[0]]
	}
	if !c.tg.Accepts(r.Op, out.Type) {
		c.Errorf("%s (%s): runs on %v", n.Name, r.Op, out.Type)
	}
	if scale, zero, ok := r.Fixed.Of(out.Type); ok {
		c.held["fixed"]++
		if out.Scale[0] != float32(scale) || out.Zero(0) != zero {
			c.Errorf("%s (%s): output %v, want scale %g and zero point %d", n.Name, r.Op, out, scale, zero)
		}
	}
	switch r.Kind {
	case target.Share:
		c.held["share"]++
		if !x.Equal(out) {
			c.Errorf("%s (%s): input %v and output %v differ", n.Name, r.Op, x, out)
		}
	case target.Join:
		c.held["join"]++
		for i, p := range in {
			if !p.Equal(out) {
				c.Errorf("%s (%s): operand %d has %v and the output %v", n.Name, r.Op, i, p, out)
			}
		}
	}
	if w, ok := in[f.Weight]; ok && f.Weight != op.None && c.prod[n.In[f.Weight]].In[0].Const != nil {
		c.weight(n, f, r, w, x)
		if b, ok := in[f.Bias]; ok && f.Bias != op.None {
			c.bias(n, f, b, x, w, out)
		}
	}
}

func (c *liteCheck) weight(n *ir.Node, f op.Facts, r *target.Rule, w, x affine.Params) {
	q := c.prod[n.In[f.Weight]].In[0].Const
	values, _ := tensor.Ints(q)
	if w.Type != dtype.Int8 || !w.Symmetric() || slices.Min(values) < -127 {
		c.Errorf("%s: weight %v, least integer %d; want int8 from -127 with zero points 0", n.Name, w.Type, slices.Min(values))
	}
	if r.OneScale(x.Type) {
		c.held["one scale"]++
		if !w.IsPerTensor() {
			c.Errorf("%s: %d scales of the weight, want one", n.Name, len(w.Scale))
		}
		return
	}
	axis, err := op.Axis(f.WeightAxis, q.Rank())
	if err != nil {
		c.Fatal(err)
	}
	c.held["channels"]++
	if len(w.Scale) != q.Shape()[axis] || !w.IsPerTensor() && w.Axis != axis {
		c.Errorf("%s: %d scales along axis %d of %v, want axis %d", n.Name, len(w.Scale), w.Axis, q.Shape(), axis)
	}
}

// bias holds what the runtime checks, |s_in·s_w − s_bias| ≤ 0.02·s_out, and that
// the integers leave room.
func (c *liteCheck) bias(n *ir.Node, f op.Facts, b, x, w, out affine.Params) {
	c.held["bias"]++
	values, _ := tensor.Ints(c.prod[n.In[f.Bias]].In[0].Const)
	if b.Type.String() != c.tg.Bias || !b.Symmetric() || len(b.Scale) != len(w.Scale) {
		c.Errorf("%s: bias %v in %d scales beside a weight in %d", n.Name, b.Type, len(b.Scale), len(w.Scale))
		return
	}
	for i := range b.Scale {
		if d := math.Abs(float64(x.Scale[0])*float64(w.Scale[i]) - float64(b.Scale[i])); d > 0.02*float64(out.Scale[0]) {
			c.Errorf("%s: bias scale %d is %g off, and the output's is %g", n.Name, i, d, out.Scale[0])
		}
	}
	for i, v := range values {
		if float64(max(v, -v)) > math.MaxInt32/c.tg.BiasRoom {
			c.Errorf("%s: bias %d is %d, and must fit %g times", n.Name, i, v, c.tg.BiasRoom)
		}
	}
}
