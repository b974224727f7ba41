package octavo

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestDefaultRecipeWinsAccuracyBack holds the default recipe to the output SQNR
// and the agreement of answers that it reaches on samples it has not seen, with
// a scale for each channel of weights and with one for all.
func TestDefaultRecipeWinsAccuracyBack(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	subjects := append(subjects(t), tokens(t)...)
	for _, c := range []struct {
		model, granularity string
		sqnr, agreement    float64 // dB, %
		drop               float64 // points
	}{
		{"digits_mlp", "channel", 48, 99.7, 0.3},
		{"digits_resnet", "channel", 40, 99.7, 0.3},
		{"digits_mobilenet", "channel", 35, 99.8, 0.3},
		{"digits_mobilenet", "tensor", 35, 99.8, 0.3},
		{"digits_vit", "channel", 30, 99, 0.5},
		{"digits_vit", "tensor", 30, 99, 0.5},
		{"tokens_transformer", "channel", 35, 99.9, 0.3},
		{"tokens_transformer", "tensor", 35, 99.9, 0.3},
		{"kws", "channel", 34.5, 99, 0.5},
		{"kws", "tensor", 33, 99, 0.5},
	} {
		i := slices.IndexFunc(subjects, func(s subject) bool { return s.name == c.model })
		if i < 0 {
			t.Logf("%s is not here", c.model)
			continue
		}
		t.Run(c.model+"/"+c.granularity, func(t *testing.T) {
			s := subjects[i]
			m := logits(open(t, s.path))
			q, err := Quantize(context.Background(), m, Recipe{Mode: Static, Weights: quant.Weights{Granularity: c.granularity}}, WithCalibration(inputsOf(s.calib)))
			if err != nil {
				t.Fatal(err)
			}
			v, err := Validate(context.Background(), m, []*Model{q}, labelled(s.test), ValidateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			r := v.Models[1]
			t.Logf("%v: %.1f dB, agreement %.2f %%, drop %.2f points", q.Report.Algorithms, *r.SQNR, 100**r.Agreement, 100*r.Drop.Value)
			if *r.SQNR < c.sqnr || 100**r.Agreement < c.agreement || 100*r.Drop.Value > c.drop {
				t.Errorf("want %.1f dB, agreement %.1f %%, a drop of at most %.1f points", c.sqnr, c.agreement, c.drop)
			}
		})
	}
}

// TestEffortThreeGains: where activations of 16 bits pay, effort 3 is nearer to the
// float model than effort 2 on samples that calibration has not seen, by the
// gain in dB that stands here, and no farther elsewhere.
func TestEffortThreeGains(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	subjects := subjects(t)
	for _, c := range []struct {
		model string
		gain  float64
	}{{"digits_mlp", 1.5}, {"digits_resnet", 0.5}, {"digits_mobilenet", 0.5}, {"kws", 2.5}, {"digits_vit", 0}} {
		i := slices.IndexFunc(subjects, func(s subject) bool { return s.name == c.model })
		if i < 0 {
			t.Logf("%s is not here", c.model)
			continue
		}
		t.Run(c.model, func(t *testing.T) {
			s := subjects[i]
			m := logits(open(t, s.path))
			var made []*Model
			for _, effort := range []int{2, 3} {
				q, err := Quantize(context.Background(), m, Recipe{Mode: Static, Effort: &effort}, WithCalibration(inputsOf(s.calib)))
				if err != nil {
					t.Fatal(err)
				}
				made = append(made, q)
			}
			v, err := Validate(context.Background(), m, made, labelled(s.test), ValidateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			two, three := v.Models[1], v.Models[2]
			t.Logf("%d samples: %.1f dB, agreement %.2f %%; with %v %.1f dB, agreement %.2f %%", v.Samples, *two.SQNR, 100**two.Agreement, made[1].Report.Algorithms, *three.SQNR, 100**three.Agreement)
			if *three.SQNR < *two.SQNR+c.gain {
				t.Errorf("effort 3 has %.2f dB, effort 2 %.2f; %.1f more are wanted", *three.SQNR, *two.SQNR, c.gain)
			}
		})
	}
}

// logits cuts the softmax at the end of a model off: it makes the error of a
// sample depend on how sure the answer is.
func logits(m *Model) *Model {
	last := m.graph.Nodes[len(m.graph.Nodes)-1]
	if last.Op.Name() == "Softmax" && last.Out[0] == m.graph.Outputs[0] {
		m.graph.Outputs[0] = last.In[0]
		m.graph.Nodes = m.graph.Nodes[:len(m.graph.Nodes)-1]
	}
	return m
}

// tokens is the text classifier of the fixtures.
func tokens(t *testing.T) []subject {
	t.Helper()
	read := func(split string) []Sample {
		x, err := ReadArray(filepath.Join(fixtures, "data", "tokens_"+split+"_x.npy"))
		if err != nil {
			return nil
		}
		y, err := ReadArray(filepath.Join(fixtures, "data", "tokens_"+split+"_y.npy"))
		if err != nil {
			t.Fatal(err)
		}
		labels, _ := tensor.Ints(y)
		var out []Sample
		for i, l := range labels {
			out = append(out, Sample{Inputs{"ids": x.Slice(i, i+1)}, l})
		}
		return out
	}
	if calib := read("calib"); calib != nil {
		return []subject{{"tokens_transformer", filepath.Join(fixtures, "tokens_transformer/tokens_transformer.op14.onnx"), calib, read("test"), 0.5}}
	}
	return nil
}
