package octavo

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// sound reads a WAVE file of one channel of 16 bits: samples in −1..1.
func sound(t *testing.T, name string) []float32 {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(realModels, name))
	if err != nil {
		t.Skipf("needs the real models: %v", err)
	}
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		t.Fatalf("%s: no WAVE file", name)
	}
	for b = b[12:]; len(b) >= 8; {
		size := int(binary.LittleEndian.Uint32(b[4:]))
		body := b[8:min(8+size, len(b))]
		switch string(b[:4]) {
		case "fmt ":
			if !bytes.Equal(body[:4], []byte{1, 0, 1, 0}) || binary.LittleEndian.Uint16(body[14:]) != 16 {
				t.Fatalf("%s: not one channel of 16 bits", name)
			}
		case "data":
			x := make([]float32, len(body)/2)
			for i := range x {
				x[i] = float32(int16(binary.LittleEndian.Uint16(body[2*i:]))) / 32768
			}
			return x
		}
		b = b[min(8+size+size%2, len(b)):]
	}
	t.Fatalf("%s: no samples", name)
	return nil
}

// stream is a model that carries states from one frame to the next.
type stream struct {
	name, file, input, output string
	state                     string
	fill                      []string
	// rate, if set, takes the place of the input "sr".
	rate   int64
	frames func(t *testing.T) [][]float32
	shape  []int
	// judge says how far the int8 outputs are from the float ones.
	judge func(t *testing.T, float, int8 [][]float32)
}

var streams = []stream{
	{
		name: "silero, with an LSTM", file: "silero-vad/silero_vad_16k_op15.onnx", input: "input", output: "output",
		state: "state=stateN", fill: []string{"sr=16000"}, frames: speechFrames, shape: []int{1, 576}, judge: sameSpeech,
	},
	{
		name: "silero, with gates", file: "silero-vad/silero_vad_op18_ifless.onnx", input: "input", output: "output",
		state: "state=stateN", rate: 16000, frames: speechFrames, shape: []int{1, 576}, judge: sameSpeech,
	},
	{
		name: "dtln", file: "dtln/model_1.onnx", input: "input_2", output: "activation_2",
		state: "input_3=tf_op_layer_stack_2", frames: spectra, shape: []int{1, 1, 257}, judge: sameMask,
	},
}

// TestStreamsKeepTheirAnswers runs float and int8 over a recording, each with
// its own states; the first quarter calibrates, the rest is judged.
func TestStreamsKeepTheirAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	for _, s := range streams {
		t.Run(s.name, func(t *testing.T) {
			path := filepath.Join(realModels, s.file)
			if _, err := os.Stat(path); err != nil {
				t.Skipf("needs the real models: %v", err)
			}
			m := open(t, path)
			if s.rate != 0 {
				constantInput(t, m, "sr", s.rate)
			}
			frames := s.frames(t)
			calib := s.data(t, m, frames[:len(frames)/4])
			q, err := Quantize(context.Background(), m, Recipe{Mode: Static}, WithCalibration(calib.Samples(0)))
			if err != nil {
				t.Fatal(err)
			}
			frames = frames[len(frames)/4:]
			s.judge(t, s.run(t, m, frames), s.run(t, q, frames))
		})
	}
}

// constantInput makes an integer input of m a constant.
func constantInput(t *testing.T, m *Model, name string, value int64) {
	t.Helper()
	for i, v := range m.graph.Inputs {
		if v.Name == name {
			v.Fact = op.ConstFact(tensor.Scalar(value))
			m.graph.Inputs = append(append([]*ir.Value{}, m.graph.Inputs[:i]...), m.graph.Inputs[i+1:]...)
			return
		}
	}
	t.Fatalf("no input %q", name)
}

// data are frames as a file of samples.
func (s *stream) data(t *testing.T, m *Model, frames [][]float32) *Dataset {
	t.Helper()
	var all []float32
	for _, f := range frames {
		all = append(all, f...)
	}
	path := filepath.Join(t.TempDir(), "frames.npy")
	writeArray(t, path, tensor.FromSlice(all, append([]int{len(frames)}, s.shape...)...))
	d, err := m.OpenData(DataOptions{Paths: []string{s.input + "=" + path}, Fill: s.fill, State: []string{s.state}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// run returns the output of every frame.
func (s *stream) run(t *testing.T, m *Model, frames [][]float32) [][]float32 {
	t.Helper()
	var out [][]float32
	for y, err := range s.data(t, m, frames).Run(context.Background(), compiled(t, m), 0) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Data[float32](y[s.output]))
	}
	if len(out) != len(frames) {
		t.Fatalf("%d outputs of %d frames", len(out), len(frames))
	}
	return out
}

// speechFrames are 32 ms each, after the last 4 ms of the one before.
func speechFrames(t *testing.T) [][]float32 {
	x := append(make([]float32, 64), sound(t, "silero-vad/test.wav")...)
	var out [][]float32
	for len(x) >= 576 {
		out = append(out, x[:576])
		x = x[512:]
	}
	return out
}

// spectra are magnitudes of 32 ms, every 8 ms, of the first 20 s.
func spectra(t *testing.T) [][]float32 {
	const size, hop, bins = 512, 128, 257
	x := sound(t, "silero-vad/test.wav")[:20*16000]
	var cos, sin [size]float64
	for i := range size {
		sin[i], cos[i] = math.Sincos(2 * math.Pi * float64(i) / size)
	}
	var out [][]float32
	for ; len(x) >= size; x = x[hop:] {
		f := make([]float32, bins)
		for k := range f {
			var re, im float64
			for i, v := range x[:size] {
				re += float64(v) * cos[i*k%size]
				im += float64(v) * sin[i*k%size]
			}
			f[k] = float32(math.Hypot(re, im))
		}
		out = append(out, f)
	}
	return out
}

// sameSpeech allows probabilities of speech to differ by 0.02 in the mean.
func sameSpeech(t *testing.T, float, int8 [][]float32) {
	var sum, worst float64
	speech, other := 0, 0
	for i := range float {
		a, b := float64(float[i][0]), float64(int8[i][0])
		sum, worst = sum+math.Abs(a-b), max(worst, math.Abs(a-b))
		if a > 0.5 {
			speech++
		}
		if (a > 0.5) != (b > 0.5) {
			other++
		}
	}
	mean := sum / float64(len(float))
	t.Logf("%d frames, %d of speech: mean difference %.4f, largest %.3f, another answer on %d", len(float), speech, mean, worst, other)
	if speech < len(float)/10 || speech > len(float)*9/10 {
		t.Errorf("%d of %d frames are speech: that says little", speech, len(float))
	}
	if !(mean <= 0.02) {
		t.Errorf("mean difference %.4f, at most 0.02 is wanted", mean)
	}
}

// sameMask wants 40 dB of signal over noise.
func sameMask(t *testing.T, float, int8 [][]float32) {
	db := signalToNoise(float, int8)
	t.Logf("%d frames: SQNR %.1f dB", len(float), db)
	if !(db >= 40) {
		t.Errorf("SQNR %.1f dB, at least 40 are wanted", db)
	}
}

// signalToNoise is the power of a over that of b−a, in dB.
func signalToNoise(a, b [][]float32) float64 {
	var signal, noise float64
	for i := range a {
		for k, v := range a[i] {
			d := float64(b[i][k]) - float64(v)
			signal += float64(v) * float64(v)
			noise += d * d
		}
	}
	return 10 * math.Log10(signal/noise)
}
