package interop_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo"
)

// modes are the recipes that need no samples, and how far ONNX Runtime may be
// from this engine: ranges found at run time move with the last bit of what
// they are taken from, and numbers of 16 bits round otherwise where it casts.
func modes() map[string]struct {
	recipe   octavo.Recipe
	relative float64
} {
	type row = struct {
		recipe   octavo.Recipe
		relative float64
	}
	weights := func(dtype, granularity, algorithm, form string) octavo.Recipe {
		r := octavo.Recipe{Mode: octavo.WeightOnly, OnnxForm: form}
		r.Weights.DType, r.Weights.Granularity, r.Weights.Algorithm = dtype, granularity, algorithm
		return r
	}
	return map[string]row{
		// 7-bit weights: the peer's products of bytes saturate without VNNI.
		"dynamic":         {octavo.Recipe{Mode: octavo.Dynamic, ReduceRange: true}, 0.03},
		"dynamic-generic": {octavo.Recipe{Mode: octavo.Dynamic, ReduceRange: true, Target: "generic"}, 0.03},
		"dynamic-mixed": {octavo.Recipe{Mode: octavo.Dynamic, ReduceRange: true, Overrides: []octavo.Override{
			{Match: "op:Gemm", Precision: "w4a16:g32"}}}, 0.03},
		"int8":        {weights("int8", "", "", ""), 0.001},
		"int8-group":  {weights("int8", "group:32", "", ""), 0.001},
		"int4":        {weights("int4", "group:32", "", ""), 0.001},
		"uint4-hqq":   {weights("uint4", "group:16", "hqq", ""), 0.001},
		"int4-qdq":    {weights("int4", "group:32", "mse-clip", "qdq"), 0.001},
		"uint2":       {weights("uint2", "group:16", "hqq", ""), 0.001},
		"float16":     {octavo.Recipe{Mode: octavo.Float16}, 0.01},
		"bfloat16":    {octavo.Recipe{Mode: octavo.BFloat16}, 0.001},
		"half-weight": {octavo.Recipe{Mode: octavo.Float16, Overrides: []octavo.Override{{Match: "op:Gemm", Precision: "weight-only"}}}, 0.01},
	}
}

// TestModes writes recurrent networks, transformers and others in every mode
// that needs no samples.
func TestModes(t *testing.T) {
	py := python(t)
	if _, err := os.Stat(fixtures); err != nil {
		t.Skipf("the fixtures are not here: %v", err)
	}
	root := t.TempDir()
	for _, model := range []string{"digits_mlp", "digits_resnet", "digits_vit", "digits_lstm", "digits_gru", "tokens_transformer"} {
		for name, c := range modes() {
			m := open(t, filepath.Join(fixtures, model, "ort", model+".prep.onnx"))
			x, err := octavo.ReadArray(filepath.Join(fixtures, model, "inputs.npy"))
			if err != nil {
				t.Skip(err)
			}
			info, err := m.Inspect()
			if err != nil {
				t.Fatal(err)
			}
			if model == "digits_resnet" && name == "dynamic-generic" {
				continue // as "dynamic": it has one product
			}
			q, err := octavo.Quantize(context.Background(), m, c.recipe)
			if err != nil {
				t.Fatalf("%s %s: %v", model, name, err)
			}
			e := expectation{Relative: c.relative}
			if name == "int4-qdq" {
				// Optimised, the peer quantizes activations for these, too.
				e.Levels = []string{"disabled"}
			}
			writeCase(t, filepath.Join(root, fmt.Sprintf("%s.%s", model, name)), q, octavo.Inputs{info.Inputs[0].Name: x}, e)
		}
	}
	check(t, py, root)
}
