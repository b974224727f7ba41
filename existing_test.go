package octavo

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/pass"
	"github.com/octavo-ml/octavo/internal/quant"
)

// maxKeepDrop is by how many samples in a hundred quantizing the rest of a
// model may lose against the model as it was.
const maxKeepDrop = 1.0

// standing returns the model's pairs and stored constants as they are before
// anything is added.
func standing(t *testing.T, m *Model) map[string]quantizedValue {
	t.Helper()
	g, _ := m.graph.Clone()
	if err := pass.Expand(g); err != nil {
		t.Fatal(err)
	}
	if err := ir.Infer(g); err != nil {
		t.Fatal(err)
	}
	return quantizedValues(t, g)
}

// mustKeep checks that q has all of the parameters and integers, bit for bit.
func mustKeep(t *testing.T, before map[string]quantizedValue, q *Model) {
	t.Helper()
	after := quantizedValues(t, q.graph)
	for name, b := range before {
		a, ok := after[name]
		if !ok || !a.params.Equal(b.params) {
			t.Errorf("%s: parameters %v, were %v", name, a.params, b.params)
		} else if b.data != nil && (a.data == nil || !bytes.Equal(a.data.Bytes(), b.data.Bytes())) {
			t.Errorf("%s: its integers changed", name)
		}
	}
}

// TestExistingIsKept quantizes what peers and partial recipes left float.
func TestExistingIsKept(t *testing.T) {
	needFixtures(t)
	calib, test := digits(t, "calib"), digits(t, "test")
	ctx := context.Background()
	keep := func(t *testing.T, m *Model, added bool) {
		before := standing(t, m)
		q, err := Quantize(ctx, m, Recipe{Mode: Static, Existing: "keep"}, WithCalibration(inputsOf(calib)))
		if err != nil {
			t.Fatal(err)
		}
		mustKeep(t, before, q)
		if e := q.Report.Existing; e == nil || e.Kept != len(before) || (e.Added > 0) != added {
			t.Errorf("report %v, of %d parameters", e, len(before))
		}
		v, err := Validate(ctx, m, []*Model{q}, labelled(test), ValidateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		was, is := v.Models[0], v.Models[1]
		t.Logf("%v; accuracy %.4f, was %.4f", q.Report.Existing, is.Accuracy.Value, was.Accuracy.Value)
		if 100*(was.Accuracy.Value-is.Accuracy.Value) > maxKeepDrop || !added && *is.SQNR < 300 {
			t.Errorf("accuracy %v, was %v; SQNR %v", is.Accuracy.Value, was.Accuracy.Value, *is.SQNR)
		}
	}
	for _, c := range []struct {
		file  string
		added bool
	}{
		{"digits_vit/ort/digits_vit.qdq.u8s8.pc.minmax.matmulonly.onnx", true},
		{"digits_vit/ort/digits_vit.matmul4bits.b32.sym.qdq.onnx", true},
		{"digits_mlp/ort/digits_mlp.qdq.s8s8.pc.minmax.onnx", false},
		{"digits_resnet/ort/digits_resnet.qdq.u8s8.pc.percentile.onnx", false},
		{"digits_mobilenet/ort/digits_mobilenet.qdq.s8s8.pc.minmax.sym.onnx", false},
		{"digits_resnet/ort/digits_resnet.qop.u8s8.pt.minmax.onnx", false},
	} {
		t.Run(filepath.Base(c.file), func(t *testing.T) { keep(t, open(t, filepath.Join(fixtures, c.file)), c.added) })
	}
	// A part of a network at first, then the rest.
	for name, r := range map[string]Recipe{
		"only Gemm":     {Only: []string{"op:Gemm"}},
		"only a layer":  {Only: []string{"/layer1/*"}, Activations: quant.Activations{DType: "int8"}},
		"all but a sum": {Keep: []string{"op:Add"}},
		"integers in":   {Only: []string{"op:Conv"}, IO: "uint8"},
	} {
		t.Run(name, func(t *testing.T) {
			_, part := madeWith(t, ioModels[0], r)
			if r.IO != "" {
				s, err := part.SourceIO()
				if err != nil {
					t.Fatal(err)
				}
				part = s
			}
			keep(t, part, true)
		})
	}
}

// TestFakeQuantizedWeightsAreStored: training with fake quantization leaves
// float weights that are quantized when the model runs. Their integers are what
// they become, and what is float beside them is quantized.
func TestFakeQuantizedWeightsAreStored(t *testing.T) {
	needFixtures(t)
	_, part := madeWith(t, ioModels[0], Recipe{Keep: []string{"op:Gemm", "op:Add"}})
	before := standing(t, part)
	names := ir.NewNamer(part.graph)
	var faked []*ir.Node
	for _, n := range part.graph.Nodes {
		if _, ok := n.Op.(*op.DequantizeLinear); !ok || n.In[0].Const == nil || n.In[0].Type != dtype.Int8 {
			continue
		}
		w, err := n.Op.(op.Evaluator).Eval(op.Of(n.In[0].Const, n.In[1].Const, n.In[2].Const))
		if err != nil {
			t.Fatal(err)
		}
		q := op.New[op.QuantizeLinear]()
		q.Axis = n.Op.(*op.DequantizeLinear).Axis
		stored := n.In[0]
		n.In[0] = &ir.Value{Name: stored.Name, Fact: op.TensorFact(dtype.Int8, stored.Shape)}
		faked = append(faked, &ir.Node{Name: names.Name("fake"), Op: q, In: []*ir.Value{ir.NewConst(names.Name("weight"), w[0].Tensor), n.In[1], n.In[2]}, Out: []*ir.Value{n.In[0]}})
	}
	part.graph.Nodes = append(faked, part.graph.Nodes...)
	part.prepared = nil
	q, err := Quantize(context.Background(), part, Recipe{Mode: Static, Existing: "keep"}, WithCalibration(inputsOf(digits(t, "calib"))))
	if err != nil {
		t.Fatal(err)
	}
	mustKeep(t, before, q)
	if e := q.Report.Existing; len(faked) == 0 || e.Kept != len(before) || e.Added == 0 {
		t.Errorf("%d weights faked, report %v of %d parameters", len(faked), e, len(before))
	}
	v, err := Validate(context.Background(), part, []*Model{q}, labelled(digits(t, "test")), ValidateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if was, is := v.Models[0].Accuracy.Value, v.Models[1].Accuracy.Value; 100*(was-is) > maxKeepDrop {
		t.Errorf("accuracy %v, was %v", is, was)
	}
}
