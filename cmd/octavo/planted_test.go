package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo"
)

// TestPlantedMistakes: data that is wrong in the usual ways is stopped, with
// the cause and the remedy named.
func TestPlantedMistakes(t *testing.T) {
	dir := exampleFolder(t)
	m, err := octavo.Load(filepath.Join(dir, "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	d, err := m.OpenData(octavo.DataOptions{Paths: []string{filepath.Join(dir, "test.npz")}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var right, bright []float32
	for in, err := range d.Samples(0) {
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range in {
			for _, v := range octavo.Data[float32](x) {
				right, bright = append(right, v), append(bright, float32(int(v*255+0.5)))
			}
		}
	}
	for name, data := range map[string][]float32{"right.npy": right, "bright.npy": bright} {
		var b bytes.Buffer
		if err := octavo.WriteArray(&b, octavo.NewTensor(data, d.Len(), 1, 8, 8)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, by := range map[string]int64{"right.txt": 0, "above.txt": 1, "below.txt": -1} {
		var b strings.Builder
		for _, l := range d.Labels() {
			fmt.Fprintln(&b, l+by)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	validate := []string{"validate", "model.onnx", "model.int8.onnx", "--no-memory", "--data"}
	for _, c := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"nothing wrong", append(validate, "right.npy", "--labels", "right.txt"), 0, nil},
		{"pixels from 0 to 255", append(validate, "bright.npy", "--labels", "right.txt"), 0, []string{"OCT019", "preprocessing looks wrong", "divide them by 255"}},
		{"labels one too high", append(validate, "right.npy", "--labels", "above.txt"), 2, []string{"--label-offset -1"}},
		{"labels one too low", append(validate, "right.npy", "--labels", "below.txt"), 2, []string{"--label-offset 1"}},
		{"labels one too high, mended", append(validate, "right.npy", "--labels", "above.txt", "--label-offset", "-1"), 0, nil},
		{"pictures and nothing chosen", append(validate, "test-photos", "--labels", "labels.csv"), 2, []string{"--preprocess", "unit"}},
		{"pictures and nothing chosen, to quantize", []string{"quantize", "model.onnx", "--data", "calib-photos", "-o", "new.onnx"}, 2, []string{"--preprocess"}},
	} {
		cmd := octavoIn(t, dir, c.args...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != c.code {
			t.Errorf("%s: %v, want exit code %d\n%s", c.name, err, c.code, out)
		}
		for _, s := range c.says {
			if !strings.Contains(string(out), s) {
				t.Errorf("%s: nothing of %q in\n%s", c.name, s, out)
			}
		}
	}
}

// TestLabelsOffByOneInside plants labels that are one too high and still
// classes of the model: only their fit gives them away.
func TestLabelsOffByOneInside(t *testing.T) {
	dir := exampleFolder(t)
	table, err := os.ReadFile(filepath.Join(dir, "labels.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, l := range strings.Fields(string(table)) {
		fmt.Fprintln(&b, (int(l[0]-'0')+1)%10)
	}
	if err := os.WriteFile(filepath.Join(dir, "turned.txt"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := octavoIn(t, dir, "validate", "model.onnx", "model.int8.onnx", "--data", "test.npy", "--labels", "turned.txt", "--no-memory")
	out, _ := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "--label-offset") {
		t.Errorf("exit code %d\n%s", cmd.ProcessState.ExitCode(), out)
	}
}
