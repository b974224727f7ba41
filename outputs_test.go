package octavo

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPeersScoreAlikeBothWays judges files of another quantizer twice: run by
// this engine, and by outputs on disk. What is on disk here was written by this
// engine for all samples, and recorded from ONNX Runtime for the first 16. The
// accuracies are those that the fixtures state for ONNX Runtime.
func TestPeersScoreAlikeBothWays(t *testing.T) {
	if _, err := os.Stat(fixtures); err != nil {
		t.Skipf("without the fixtures: %v", err)
	}
	for _, c := range []struct {
		model, float, form string
		accuracy           float64
	}{
		{"digits_mobilenet", "op13", "qdq.u8s8.pt.minmax", 0.4944},
		{"digits_mobilenet", "op13", "qdq.u8s8.pc.minmax", 0.9822},
		{"digits_mlp", "op13", "qdq.u8s8.pc.minmax", 0.9777},
		{"digits_resnet", "op13", "qdq.u8s8.pt.minmax", 0.98},
	} {
		t.Run(c.model+"."+c.form, func(t *testing.T) {
			dir := filepath.Join(fixtures, c.model)
			m := open(t, filepath.Join(dir, c.model+"."+c.float+".onnx"))
			q := open(t, filepath.Join(dir, "ort", c.model+"."+c.form+".onnx"))
			d, err := m.OpenData(DataOptions{Paths: []string{filepath.Join(fixtures, "data/test_x.npy")}})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if err := d.LoadLabels(filepath.Join(fixtures, "data/test_y.npy")); err != nil {
				t.Fatal(err)
			}
			p, err := q.Compile()
			if err != nil {
				t.Fatal(err)
			}
			var all []float32
			name := m.graph.Outputs[0].Name
			for out, err := range d.Run(context.Background(), p, 0) {
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, Data[float32](out[name])...)
			}
			file := filepath.Join(t.TempDir(), "out.npy")
			var b bytes.Buffer
			if err := WriteArray(&b, NewTensor(all, d.Len(), len(all)/d.Len())); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			v, err := ValidateData(context.Background(), m, []*Model{q}, d, ValidateOptions{OutputsFrom: []string{file}})
			if err != nil {
				t.Fatal(err)
			}
			if got := v.Models[1].Accuracy.Value; max(got-c.accuracy, c.accuracy-got) > 0.003 {
				t.Errorf("accuracy %.4f, ONNX Runtime's is %.4f", got, c.accuracy)
			}
			sameColumns(t, v)
			for _, w := range v.Warnings {
				if w.ID == "OCT019" {
					t.Errorf("the data is what the peer calibrated with: %s", w.Msg)
				}
			}

			few := labelled(digits(t, "test")[:16])
			v, err = Validate(context.Background(), m, []*Model{q}, few,
				ValidateOptions{OutputsFrom: []string{filepath.Join(dir, "ort", c.model+"."+c.form+".disabled.npy")}})
			if err != nil {
				t.Fatal(err)
			}
			if a, b := v.Models[1].Accuracy.Value, v.Models[2].Accuracy.Value; a != b {
				t.Errorf("16 samples: accuracy %v by this engine, %v by recorded outputs", a, b)
			}
		})
	}
}

// sameColumns compares the last two columns of the table, but for what is of
// the file and the engine.
func sameColumns(t *testing.T, v *Verdict) {
	t.Helper()
	rows := v.Table()[1:]
	if len(rows) < 6 {
		t.Errorf("a table of %d rows", len(rows))
	}
	for _, r := range rows {
		if slices.ContainsFunc([]string{"size", "latency", "memory", "load"}, func(s string) bool { return strings.HasPrefix(r[0], s) }) {
			continue
		}
		if r[2] != r[3] {
			t.Errorf("%s: %q by the engine, %q by outputs", r[0], r[2], r[3])
		}
	}
}

func TestGates(t *testing.T) {
	for _, c := range []struct {
		size string
		want int64
	}{{"", 0}, {"1MB", 1e6}, {"2KiB", 2048}, {"1.5KB", 1500}, {"77", 77}, {"12B", 12}} {
		if got, err := parseSize(c.size); err != nil || got != c.want {
			t.Errorf("%q: %d, %v; want %d", c.size, got, err, c.want)
		}
	}
	for _, s := range []string{"x", "-1MB", "0", "NaN", "Inf", "1e300GB", "1TBB"} {
		if _, err := parseSize(s); err == nil {
			t.Errorf("%q is taken for a size", s)
		}
	}
	for _, o := range []GateOptions{{MaxDrop: "NaN"}, {MaxDrop: "-1"}, {Min: []string{"accuracy"}}, {Min: []string{"accuracy=NaN"}}, {Min: []string{"mae=1"}}, {MinSpeedup: -1}} {
		if _, err := ParseGates(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

func TestOutputFileStaysInside(t *testing.T) {
	for _, n := range []string{"", ".", "..", "../x", "/etc", `a\b`, "logits"} {
		if f := OutputFile(n); !filepath.IsLocal(f) || f == "." || strings.ContainsAny(f, `/\`) {
			t.Errorf("%q becomes %q", n, f)
		}
	}
}
