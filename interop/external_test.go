package interop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo"
)

// TestExternalData: onnx.checker and ONNX Runtime read models whose constants
// lie beside them, as they were and simplified: a transformer whose weights are
// of all the sizes that are aligned differently.
func TestExternalData(t *testing.T) {
	py, dir := python(t), t.TempDir()
	out, err := exec.Command("go", "run", "../bench/models", "-o", dir, "-only", "transformer-large", "-layers", "1", "-width", "512", "-vocabulary", "1000").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	m := open(t, filepath.Join(dir, "transformer-large.onnx"))
	ids := make([]int64, 2*128)
	for i := range ids {
		ids[i] = int64(i * i % 1000)
	}
	in := octavo.Inputs{"input_ids": octavo.NewTensor(ids, 2, 128)}
	cases := filepath.Join(dir, "cases")
	for name, c := range map[string]octavo.Conversion{"as-it-was": {}, "simplified": {Simplify: true}, "newest-opset": {Simplify: true, Opset: 21}} {
		n, err := octavo.Convert(m, c)
		if err != nil {
			t.Fatal(err)
		}
		writeCase(t, filepath.Join(cases, name), n, in, expectation{Relative: 1e-4}, octavo.ExternalData(0))
		if info, err := os.Stat(filepath.Join(cases, name, "model.onnx.data")); err != nil || info.Size() < 15_000_000 {
			t.Errorf("%s: the data is %v, %v", name, info, err)
		}
	}
	check(t, py, cases)
}
