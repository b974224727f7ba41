package interop_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo"
)

// TestDynamicAgainstONNXRuntime compares mode dynamic with ONNX Runtime's
// quantize_dynamic on recurrent networks and transformers, with labels or without
// (dynamic.py).
func TestDynamicAgainstONNXRuntime(t *testing.T) {
	py, root := python(t), t.TempDir()
	for name, path := range map[string]string{
		"digits_lstm":        "fixtures/digits_lstm/ort/digits_lstm.prep.onnx",
		"digits_gru":         "fixtures/digits_gru/ort/digits_gru.prep.onnx",
		"digits_vit":         "fixtures/digits_vit/ort/digits_vit.prep.onnx",
		"tokens_transformer": "fixtures/tokens_transformer/ort/tokens_transformer.prep.onnx",
		"silero-vad":         "models/silero-vad/silero_vad_16k_op15.onnx",
		"dtln":               "models/dtln/model_1.onnx",
	} {
		path = filepath.Join(shared, path)
		if _, err := os.Stat(path); err != nil {
			t.Skipf("a model is not here: %v", err)
		}
		q, err := octavo.Quantize(context.Background(), open(t, path), octavo.Recipe{Mode: octavo.Dynamic})
		if err == nil {
			err = q.Save(filepath.Join(root, name+".onnx"))
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	out, err := exec.Command(py, "dynamic.py", shared, root).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
