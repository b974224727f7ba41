package octavo

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/octavo-ml/octavo/internal/quant"
)

// saved quantizes a model twice, from samples and from the ranges that the
// first run saved, and returns both files and how long the second took.
func saved(t *testing.T, file, data string, r Recipe) (with, without []byte, spent time.Duration) {
	t.Helper()
	dir := t.TempDir()
	bytesOf := func(m *Model, name string) []byte {
		path := filepath.Join(dir, name)
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	m := open(t, file)
	d, err := m.OpenData(DataOptions{Paths: []string{data}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	q, err := Quantize(context.Background(), m, r, WithCalibration(d.Samples(DefaultSamples)))
	if err != nil {
		t.Fatal(err)
	}
	with = bytesOf(q, "model.onnx")
	var text bytes.Buffer
	if err := q.Ranges().Write(&text); err != nil {
		t.Fatal(err)
	}
	ranges, err := ParseRanges(text.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	q, err = Quantize(context.Background(), open(t, file), r, WithRanges(ranges))
	if err != nil {
		t.Fatal(err)
	}
	without = bytesOf(q, "model.onnx")
	return with, without, time.Since(begun)
}

// TestRangesReproduceTheFile: ranges saved from one run give the same bytes
// without the data, for every fixture and for recipes of all kinds.
func TestRangesReproduceTheFile(t *testing.T) {
	needFixtures(t)
	for _, c := range []struct{ model, data string }{
		{"digits_mlp", "calib_x"}, {"digits_resnet", "calib_x"}, {"digits_mobilenet", "calib_x"}, {"digits_vit", "calib_x"}, {"tokens_transformer", "tokens_calib_x"},
	} {
		file := filepath.Join(fixtures, c.model, c.model+".dynamo.onnx")
		data := filepath.Join(fixtures, "data", c.data+".npy")
		for name, r := range map[string]Recipe{
			"default":   {},
			"parity":    {Parity: "onnxruntime"},
			"mse":       {Activations: quant.Activations{Observer: "mse"}},
			"overrides": {Activations: quant.Activations{Observer: "moving-average"}, Overrides: []Override{{Match: "op:Gemm", Observer: "percentile:99.9"}}},
			"integer":   {OnnxForm: "qoperator", Target: "generic"},
		} {
			t.Run(c.model+"/"+name, func(t *testing.T) {
				if r.Parity == "" {
					r.Algorithms = []string{quant.NoAlgorithm} // others need samples
				}
				with, without, spent := saved(t, file, data, r)
				if !bytes.Equal(with, without) {
					t.Errorf("%d bytes from samples, %d others from ranges", len(with), len(without))
				}
				t.Logf("from ranges in %.3f s", spent.Seconds())
			})
		}
	}
}

// TestRangesOfAnotherModel: a file of ranges is refused where names agree and
// weights do not.
func TestRangesOfAnotherModel(t *testing.T) {
	needFixtures(t)
	data := filepath.Join(fixtures, "data", "calib_x.npy")
	m := open(t, filepath.Join(fixtures, "digits_mobilenet", "digits_mobilenet.op13.onnx"))
	d, err := m.OpenData(DataOptions{Paths: []string{data}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	q, err := Quantize(context.Background(), m, Recipe{}, WithCalibration(d.Samples(40)))
	if err != nil {
		t.Fatal(err)
	}
	other := open(t, filepath.Join(fixtures, "digits_resnet", "digits_resnet.op13.onnx"))
	if _, err := Quantize(context.Background(), other, Recipe{}, WithRanges(q.Ranges())); err == nil {
		t.Error("the ranges of another model are taken")
	}
}

// FuzzParseRanges: no bytes make the reader panic, and what it reads is
// written and read again.
func FuzzParseRanges(f *testing.F) {
	f.Add([]byte(`{"schema": "octavo.ranges/1", "model": "00", "samples": 3, "observer": "mse", "values": [{"value": "x", "type": "uint8", "lo": -0.5, "hi": 1e3}]}`))
	f.Add([]byte(`{"schema": "octavo.ranges/1", "values": [{"value": "x", "type": "int8", "symmetric": true, "lo": 0, "hi": 0}]}`))
	f.Add([]byte(`{"schema": 3}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRanges(b)
		if err != nil {
			return
		}
		var text bytes.Buffer
		if err := r.Write(&text); err != nil {
			t.Fatal(err)
		}
		if _, err := ParseRanges(text.Bytes()); err != nil {
			t.Fatalf("what was written is not read: %v\n%s", err, &text)
		}
	})
}
