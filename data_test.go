package octavo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo"
)

// digits is the fixtures' folder of 64 pictures of digits, with labels.csv.
const digits = "../shared/fixtures/data/images"

// pixels reads the pictures of the folder, pixels divided by 255, and their
// labels as labels.csv has them.
func pixels(t *testing.T) (values []float32, labels []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(digits, "labels.csv"))
	if err != nil {
		t.Skip("no fixtures: ", err)
	}
	for line := range strings.Lines(string(text)) {
		name, label, _ := strings.Cut(strings.TrimSpace(line), ",")
		if name == "file" {
			continue
		}
		f, err := os.Open(filepath.Join(digits, name))
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for y := range 8 {
			for x := range 8 {
				r, _, _, _ := img.At(x, y).RGBA()
				values = append(values, float32(r>>8)/255)
			}
		}
		labels = append(labels, label)
	}
	return values, labels
}

// TestFormsOfTheSameData holds that pictures, and arrays, JSON lines and CSV
// made from their pixels, give the same verdict.
func TestFormsOfTheSameData(t *testing.T) {
	values, labels := pixels(t)
	dir := t.TempDir()
	file := func(name string, write func(w io.Writer) error) string {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one := file("labels.txt", func(w io.Writer) error { _, err := io.WriteString(w, strings.Join(labels, "\n")); return err })
	forms := []struct{ name, path, labels string }{
		{"pictures", digits, filepath.Join(digits, "labels.csv")},
		{"npy", file("x.npy", func(w io.Writer) error {
			return octavo.WriteArray(w, octavo.NewTensor(values, len(labels), 1, 8, 8))
		}), one},
		{"jsonl", file("x.jsonl", func(w io.Writer) error {
			e := json.NewEncoder(w)
			for i, l := range labels {
				var rows [][]float32
				for y := range 8 {
					rows = append(rows, values[64*i+8*y:][:8])
				}
				if err := e.Encode(map[string]any{"input": [][][]float32{rows}, "label": json.Number(l)}); err != nil {
					return err
				}
			}
			return nil
		}), ""},
		{"csv", file("x.csv", func(w io.Writer) error {
			fmt.Fprint(w, "label")
			for k := range 64 {
				fmt.Fprintf(w, ",input_%d", k)
			}
			fmt.Fprintln(w)
			for i, l := range labels {
				fmt.Fprint(w, l)
				for _, v := range values[64*i:][:64] {
					fmt.Fprintf(w, ",%v", v)
				}
				fmt.Fprintln(w)
			}
			return nil
		}), ""},
	}
	m := demoModel(t)
	var verdicts []string
	var quantized [][]byte
	for _, f := range forms {
		o := octavo.DataOptions{Paths: []string{f.path}}
		if f.name == "pictures" {
			o.Preprocess.Name = "unit"
		}
		d, err := m.OpenData(o)
		if err != nil {
			t.Fatal(f.name, err)
		}
		defer d.Close()
		if f.labels != "" {
			if err := d.LoadLabels(f.labels); err != nil {
				t.Fatal(f.name, err)
			}
		}
		q, err := octavo.Quantize(context.Background(), m, octavo.Recipe{Mode: octavo.Static}, octavo.WithCalibration(d.Samples(0)))
		if err != nil {
			t.Fatal(f.name, err)
		}
		v, err := octavo.ValidateData(context.Background(), m, []*octavo.Model{q}, d, octavo.ValidateOptions{})
		if err != nil {
			t.Fatal(f.name, err)
		}
		for i := range v.Models {
			v.Models[i].P50, v.Models[i].P90 = 0, 0
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		verdicts = append(verdicts, string(text))
		path := filepath.Join(dir, f.name+".onnx")
		if err := q.Save(path); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		quantized = append(quantized, b)
	}
	if !strings.Contains(verdicts[0], `"samples":64`) || !strings.Contains(verdicts[0], `"accuracy"`) {
		t.Errorf("verdict %s", verdicts[0])
	}
	for i, f := range forms[1:] {
		if verdicts[i+1] != verdicts[0] {
			t.Errorf("%s gives another verdict than pictures:\n%s\n%s", f.name, verdicts[i+1], verdicts[0])
		}
		if !bytes.Equal(quantized[i+1], quantized[0]) {
			t.Errorf("%s calibrates to another model than pictures", f.name)
		}
	}
}

// demoModel loads the embedded model.
func demoModel(t *testing.T) *octavo.Model {
	t.Helper()
	m, err := octavo.Load("testdata/demo/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestSpreadIsInOrder holds that samples come in order for any number of threads.
func TestSpreadIsInOrder(t *testing.T) {
	values, labels := pixels(t)
	var b bytes.Buffer
	if err := octavo.WriteArray(&b, octavo.NewTensor(values, len(labels), 1, 8, 8)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.npy")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	m := demoModel(t)
	for _, threads := range []int{1, 3} {
		d, err := m.OpenData(octavo.DataOptions{Paths: []string{path}, Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		i := 0
		for in, err := range d.Samples(4) {
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(octavo.Data[float32](in["input"]), values[64*16*i:][:64]) {
				t.Errorf("%d threads: sample %d is another", threads, i)
			}
			i++
		}
		if i != 4 {
			t.Errorf("%d threads: %d samples", threads, i)
		}
	}
}
