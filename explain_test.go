package octavo_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo"
)

// explained explains a quantized form of a fixture by its test data.
func explained(t *testing.T, float, quantized string) *octavo.Explanation {
	t.Helper()
	var models []*octavo.Model
	for _, name := range []string{float, quantized} {
		path := filepath.Join("../shared/fixtures", name)
		if _, err := os.Stat(path); err != nil {
			t.Skipf("the fixtures are not beside the checkout: %v", err)
		}
		m, err := octavo.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		models = append(models, m)
	}
	d, err := models[0].OpenData(octavo.DataOptions{Paths: []string{filepath.Join("../shared/fixtures", "data/test_x.npy")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	e, err := octavo.Explain(context.Background(), models[0], models[1], d, octavo.ExplainOptions{Samples: 32})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestExplainFindsTheRescaledLayers: in two depthwise layers of the network
// four channels have weights a hundred times larger than the rest, so one scale
// for all of them loses the rest.
func TestExplainFindsTheRescaledLayers(t *testing.T) {
	const dir = "digits_mobilenet/"
	for _, form := range []string{"qdq", "qop"} {
		e := explained(t, dir+"digits_mobilenet.op13.onnx", dir+"ort/digits_mobilenet."+form+".u8s8.pt.minmax.onnx")
		got := []string{e.Layers[0].Node, e.Layers[1].Node}
		slices.Sort(got)
		if want := []string{"/block1/depthwise/depthwise.0/Conv", "/block2/depthwise/depthwise.0/Conv"}; !slices.Equal(got, want) {
			t.Errorf("%s: the worst are %v, want %v", form, got, want)
		}
		if *e.Layers[1].Alone.SQNR > 10 || *e.Layers[2].Alone.SQNR < 20 {
			t.Errorf("%s: %v dB, then %v dB: want a gap behind the two", form, *e.Layers[1].Alone.SQNR, *e.Layers[2].Alone.SQNR)
		}
		for _, l := range e.Layers {
			if l.Alone == nil || l.Accumulated.SQNR == nil {
				t.Errorf("%s: %s is not measured", form, l.Node)
			}
		}
		if len(e.Layers) != 17 || len(e.Unmatched) != 0 {
			t.Errorf("%s: %d layers, unmatched %v; want 17, none", form, len(e.Layers), e.Unmatched)
		}
	}
}

// TestExplainFindsOutliers: two channels of each LayerNormalization in the
// blocks are forty times larger than the rest, and the product behind it divides
// them again. The products have the greatest errors alone, by the rounding of
// the LayerNormalizations; these are the causes.
func TestExplainFindsOutliers(t *testing.T) {
	const dir = "digits_vit/"
	for _, form := range []string{"qdq.u8s8.pt.minmax", "qdq.u8s8.pc.minmax", "qop.u8s8.pt.minmax"} {
		e := explained(t, dir+"digits_vit.op14.onnx", dir+"ort/digits_vit."+form+".onnx")
		norms := map[string]bool{}
		for i, l := range e.Layers[:4] {
			if norms[l.Node] = true; l.Op != "LayerNormalization" || !strings.HasPrefix(l.Node, "/blocks.") || *l.Causes > 18 {
				t.Errorf("%s: cause %d is %s, which makes %.1f dB; want a LayerNormalization in the blocks", form, i+1, l.Node, *l.Causes)
			}
		}
		if *e.Layers[4].Causes < 20 {
			t.Errorf("%s: %s makes %.1f dB; want a gap behind the four", form, e.Layers[4].Node, *e.Layers[4].Causes)
		}
		suffer := 0
		for _, l := range e.Layers {
			if l.Alone == nil || l.Alone.SQNR == nil || *l.Alone.SQNR > 18 {
				continue
			}
			if suffer++; l.Op != "MatMul" || len(l.Inputs) == 0 || !norms[l.Inputs[0].Node] || l.Inputs[0].Share < 0.8 {
				t.Errorf("%s: %s has %.1f dB alone, by %+v; want a product behind one of %v", form, l.Node, *l.Alone.SQNR, l.Inputs, norms)
			}
		}
		if suffer != 4 || len(e.Unmatched) != 0 {
			t.Errorf("%s: %d layers are bad alone, want 4; unmatched %v", form, suffer, e.Unmatched)
		}
	}
}

// TestExplainFollowsRescaledValues: equalization multiplies channels by great
// factors that cost nothing, so no layer may look as if it lost by them; and
// without equalization nothing is called rescaled.
func TestExplainFollowsRescaledValues(t *testing.T) {
	m, err := octavo.Load("testdata/demo/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	open := func(name string) *octavo.Dataset {
		d, err := m.OpenData(octavo.DataOptions{Paths: []string{"testdata/demo/" + name}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		return d
	}
	calib, test := open("calib.npz"), open("test.npz")
	for _, algorithms := range [][]string{{"equalize", "bias-correction"}, {"bias-correction"}} {
		q, err := octavo.Quantize(context.Background(), m, octavo.Recipe{Algorithms: algorithms}, octavo.WithCalibration(calib.Samples(64)))
		if err != nil {
			t.Fatal(err)
		}
		e, err := octavo.Explain(context.Background(), m, q, test, octavo.ExplainOptions{Samples: 32})
		if err != nil {
			t.Fatal(err)
		}
		rescaled := 0
		for _, l := range e.Layers {
			if l.Rescaled {
				rescaled++
			}
			if l.Alone != nil && l.Alone.SQNR != nil && *l.Alone.SQNR < 30 {
				t.Errorf("%v: %s loses alone: %.1f dB", algorithms, l.Node, *l.Alone.SQNR)
			}
		}
		if equalized := len(algorithms) == 2; equalized != (rescaled > 0) {
			t.Errorf("%v: %d layers are called rescaled", algorithms, rescaled)
		}
	}
}
