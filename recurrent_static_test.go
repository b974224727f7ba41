package octavo

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestStaticCells quantizes models with recurrent cells for the octavo engine,
// fixed ranges for what the cells read, and compares with ONNX Runtime's dynamic
// quantization of the same models, run here: the outputs are at most 3 dB
// farther from those of the float model. That leaves GRU float; there 40 dB are
// wanted.
func TestStaticCells(t *testing.T) {
	for _, c := range []struct {
		file string
		at   *stream // nil: the digits
		cell string
	}{
		{file: filepath.Join(realModels, "dtln/model_1.onnx"), at: streamNamed("dtln"), cell: "LSTM"},
		{file: filepath.Join(fixtures, "digits_lstm/digits_lstm.op13.onnx"), cell: "LSTM"},
		{file: filepath.Join(fixtures, "digits_gru/digits_gru.op13.onnx"), cell: "GRU"},
	} {
		t.Run(filepath.Base(c.file), func(t *testing.T) {
			if _, err := os.Stat(c.file); err != nil {
				t.Skipf("needs the shared models: %v", err)
			}
			m := open(t, c.file)
			var calib *Dataset
			var judged func(m *Model) [][]float32
			if c.at != nil {
				frames := c.at.frames(t)
				calib = c.at.data(t, m, frames[:len(frames)/4])
				judged = func(m *Model) [][]float32 { return c.at.run(t, m, frames[len(frames)/4:]) }
			} else {
				calib = digitSamples(t, m, "calib_x.npy")
				judged = func(m *Model) [][]float32 { return answers(t, m, digitSamples(t, m, "test_x.npy")) }
			}
			static, err := Quantize(context.Background(), m, Recipe{Mode: Static, Target: "octavo"}, WithCalibration(calib.Samples(0)))
			if err != nil {
				t.Fatal(err)
			}
			if i := slices.IndexFunc(static.Report.Float, func(s Skip) bool { return s.Op == c.cell }); i >= 0 {
				t.Errorf("a cell stays float: %s", static.Report.Float[i].Reason)
			}
			dynamic, err := Quantize(context.Background(), m, Recipe{Mode: Dynamic, Parity: "onnxruntime"})
			if err != nil {
				t.Fatal(err)
			}
			float := judged(m)
			ours, theirs := signalToNoise(float, judged(static)), signalToNoise(float, judged(dynamic))
			t.Logf("static %.1f dB, dynamic %.1f dB", ours, theirs)
			want := theirs - 3
			if c.cell == "GRU" {
				want = 40
			}
			if !(ours >= want) {
				t.Errorf("static %.1f dB, at least %.1f dB are wanted", ours, want)
			}
		})
	}
}

func streamNamed(name string) *stream {
	i := slices.IndexFunc(streams, func(s stream) bool { return s.name == name })
	return &streams[i]
}

// digitSamples opens a file of the pictures of digits.
func digitSamples(t *testing.T, m *Model, file string) *Dataset {
	t.Helper()
	d, err := m.OpenData(DataOptions{Paths: []string{filepath.Join(fixtures, "data", file)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// answers returns the first output for every sample.
func answers(t *testing.T, m *Model, d *Dataset) [][]float32 {
	t.Helper()
	name := m.graph.Outputs[0].Name
	var out [][]float32
	for y, err := range d.Run(context.Background(), compiled(t, m), 0) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, slices.Clone(Data[float32](y[name])))
	}
	return out
}
