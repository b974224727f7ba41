package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/metric"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/npy"
)

// liteCase is a row of cases.json, which lite_samples.py writes.
type liteCase struct {
	Model string `json:"model"`
	dir   string
	name  string
}

func (c *liteCase) file(ending string) string { return filepath.Join(c.dir, c.name+"."+ending) }

// liteFacts is what written.py found in a file.
type liteFacts struct {
	Error     string         `json:"error"`
	Operators map[string]int `json:"operators"`
	Floats    map[string]int `json:"floats"`
}

// peerResult is a row of testdata/converter.json, which converter.py writes.
type peerResult struct {
	Bytes   int64          `json:"bytes"`
	SQNR    float64        `json:"sqnr"`
	Wrong   []int          `json:"wrong"` // test samples that it answers wrongly
	Samples int            `json:"samples"`
	MSE     *float64       `json:"mse"` // between input and output
	Floats  map[string]int `json:"floats"`
	Error   string         `json:"error"` // set where LiteRT cannot run its file
}

// peerBytes is how much larger a file may be than the converter's, the names of
// tensors included.
const peerBytes = 1.03

// mostLost is how many decibels the default kernels may lie below the reference.
const mostLost = 3

// leastAlone is the SQNR, in dB, of a file where there is none of the
// converter's to be held against.
const leastAlone = 20

// TestWrittenLiteRTModels quantizes the models of lite_samples.py for LiteRT.
// Each file loads there, with the reference kernels and with those it has by
// default; each element that the reference kernels compute, on real samples and
// on noise, is what this engine computes; what the converter makes integers of
// is integers here. Then accuracy, error and size are held against those of the
// converter's files, as converter.py recorded them.
func TestWrittenLiteRTModels(t *testing.T) {
	py := python(t)
	shared := filepath.Join("..", "..", "shared")
	if _, err := os.Stat(filepath.Join(shared, "models")); err != nil {
		t.Skipf("the models are not here: %v", err)
	}
	dir := t.TempDir()
	command(t, py, "lite_samples.py", shared, dir)
	cases := map[string]*liteCase{}
	readJSON(t, filepath.Join(dir, "cases.json"), &cases)
	peers := map[string]peerResult{}
	readJSON(t, filepath.Join("testdata", "converter.json"), &peers)
	names := slices.Sorted(maps.Keys(cases))
	for _, name := range names {
		cases[name].dir, cases[name].name = dir, name
		cases[name].write(t)
	}
	wholes := writeWhole(t, cases)
	fromOthers := writeConverted(t, cases, dir)
	command(t, py, "written.py", dir)
	for _, c := range wholes {
		t.Run(c.name, func(t *testing.T) { c.judgeWhole(t, peers) })
	}
	for _, c := range fromOthers {
		t.Run(c.name, c.judgeConverted)
	}
	better, all := 0, 0
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			peer, ok := peers[name]
			if !ok {
				t.Fatalf("converter.json has no %q: run converter.py", name)
			}
			sqnr := cases[name].judge(t, peer)
			if peer.Error != "" {
				return
			}
			if all++; sqnr > peer.SQNR {
				better++
			}
		})
	}
	t.Logf("the output's SQNR is above the converter's in %d of %d models", better, all)
	if 2*better <= all {
		t.Errorf("in %d of %d models only", better, all)
	}
}

// command runs a script of this folder.
func command(t *testing.T, py, script string, args ...string) {
	t.Helper()
	if out, err := exec.Command(py, append([]string{script}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

func readJSON(t *testing.T, path string, to any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// source is the path of the float model.
func (c *liteCase) source() string {
	return filepath.Join("..", "..", "shared", filepath.FromSlash(c.Model))
}

// write quantizes the model with the case's calibration samples.
func (c *liteCase) write(t *testing.T) {
	t.Helper()
	m := open(t, c.source())
	fixBatch(t, m)
	q := quantize(t, m, c.file("calib.npy"), octavo.Recipe{Mode: octavo.Static, Target: "litert"})
	if err := q.Save(c.file("tflite")); err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
}

// variant returns a case of the same model and samples under another name.
func (c *liteCase) variant(t *testing.T, suffix string) *liteCase {
	t.Helper()
	v := &liteCase{Model: c.Model, dir: c.dir, name: c.name + suffix}
	for _, part := range []string{"test.npy", "noise.npy"} {
		if err := os.Link(c.file(part), v.file(part)); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// wholeOf are the cases of which something stays float by default, and which are
// written with all of it quantized, too.
var wholeOf = []string{"basic_pitch", "basic_pitch_tflite"}

// writeWhole quantizes models with an override that names all nodes.
func writeWhole(t *testing.T, cases map[string]*liteCase) []*liteCase {
	t.Helper()
	var out []*liteCase
	for _, name := range wholeOf {
		base := cases[name]
		if base == nil {
			continue
		}
		c := base.variant(t, wholeSuffix)
		c.addSilence(t)
		m := open(t, base.source())
		fixBatch(t, m)
		q := quantize(t, m, base.file("calib.npy"), octavo.Recipe{Mode: octavo.Static, Target: "litert", Overrides: []octavo.Override{{Match: "*", Precision: "int8"}}})
		if err := q.Save(c.file("tflite")); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		cases[c.name], out = c, append(out, c)
	}
	return out
}

const wholeSuffix = "_whole"

// addSilence puts a sample of zeros behind the noise: a quotient by the loudest
// of it is by zero.
func (c *liteCase) addSilence(t *testing.T) {
	t.Helper()
	x := c.array(t, "noise")
	shape := slices.Clone(x.Shape())
	data := append(slices.Clone(tensor.Data[float32](x)), make([]float32, x.Len()/shape[0])...)
	shape[0]++
	if err := os.Remove(c.file("noise.npy")); err != nil { // it is a link
		t.Fatal(err)
	}
	f, err := os.Create(c.file("noise.npy"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := npy.Write(f, "<f4", shape, tensor.FromSlice(data, shape...).Bytes()); err != nil {
		t.Fatal(err)
	}
}

// judgeWhole compares a file that is quantized whole with LiteRT: each element
// that the reference kernels compute, on real samples and on noise, is what this
// engine computes, and what the converter makes integers of is integers in it.
// Its sums are MEANs times a count, and its quotients are of a MAXIMUM: the
// reference kernel of SUM takes int8 for uint8, and DIV refuses the integer 0,
// which is why LiteRT cannot run the converter's file.
func (c *liteCase) judgeWhole(t *testing.T, peers map[string]peerResult) {
	var facts liteFacts
	readJSON(t, c.file("facts.json"), &facts)
	if facts.Error != "" {
		t.Fatalf("LiteRT: %s", facts.Error)
	}
	lite := open(t, c.file("tflite"))
	for _, part := range []string{"test", "noise"} {
		for k, got := range runSamples(t, lite, c.array(t, part)) {
			if off := differing(t, got, c.array(t, fmt.Sprintf("%s.ref.%d", part, k))); off > 0 {
				t.Errorf("%s: %d of %d elements of output %d are not those of the reference kernels", part, off, got.Len(), k)
			}
		}
	}
	ref, def := c.score(t, "ref"), c.score(t, "default")
	t.Logf("SQNR %.2f dB (with the default kernels %.2f); on floats: %v", ref.sqnr, def.sqnr, facts.Floats)
	if def.sqnr < ref.sqnr-mostLost {
		t.Errorf("the default kernels lose %.2f dB", ref.sqnr-def.sqnr)
	}
	peer := peers[strings.TrimSuffix(c.name, wholeSuffix)]
	if size := fileBytes(t, c.file("tflite")); float64(size) > peerBytes*float64(peer.Bytes) {
		t.Errorf("%d bytes, the converter's file has %d", size, peer.Bytes)
	}
	for name, n := range facts.Floats {
		if peer.Floats[name] == 0 {
			t.Errorf("%d %s compute on floats, the converter's on integers", n, name)
		}
	}
	for _, name := range []string{"DIV", "EQUAL", "LOG", "MEAN", "SELECT_V2", "SQRT"} {
		if facts.Operators[name] == 0 {
			t.Errorf("no %s is in it: %v", name, facts.Operators)
		}
	}
}

// otherGrids are the cases that are quantized for ONNX Runtime first, and then
// converted.
var otherGrids = []string{"digits_mobilenet", "digits_resnet", "kws", "resnet8"}

// writeConverted quantizes models for ONNX Runtime, with uint8 and ranges that
// TensorFlow Lite has others for, and writes those as TensorFlow Lite.
func writeConverted(t *testing.T, cases map[string]*liteCase, dir string) []*liteCase {
	t.Helper()
	var out []*liteCase
	for _, name := range otherGrids {
		base := cases[name]
		if base == nil {
			continue
		}
		c := base.variant(t, "_converted")
		m := open(t, base.source())
		fixBatch(t, m)
		q := quantize(t, m, base.file("calib.npy"), octavo.Recipe{Mode: octavo.Static, Target: "onnxruntime-cpu"})
		n, err := octavo.Convert(q, octavo.Conversion{Simplify: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Save(c.file("tflite")); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if len(n.Prescribed()) == 0 {
			t.Errorf("%s: no value is said to have other parameters", c.name)
		}
		cases[c.name], out = c, append(out, c)
	}
	b, err := json.Marshal(cases)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "cases.json"), b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// leastConverted is the SQNR that a converted model keeps at least: that of
// resnet8 is 20 dB before.
const leastConverted = 15

// judgeConverted compares a converted file with LiteRT.
func (c *liteCase) judgeConverted(t *testing.T) {
	var facts liteFacts
	readJSON(t, c.file("facts.json"), &facts)
	if facts.Error != "" {
		t.Fatalf("LiteRT: %s", facts.Error)
	}
	c.compare(t, facts)
	sqnr := c.score(t, "ref").sqnr
	t.Logf("SQNR %.2f dB; on floats: %v", sqnr, facts.Floats)
	if sqnr < leastConverted {
		t.Errorf("SQNR %.2f dB", sqnr)
	}
}

// fixBatch makes the first axis of the inputs 1.
func fixBatch(t *testing.T, m *octavo.Model) {
	t.Helper()
	info, err := m.Inspect()
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range info.Inputs {
		_, shape, _ := strings.Cut(in.Type, "[")
		batch, _, _ := strings.Cut(shape, ",")
		if _, err := strconv.Atoi(batch); err == nil {
			continue
		}
		if err := m.Fix(nil, []string{batch + "=1"}); err != nil {
			t.Fatal(err)
		}
	}
}

// judge compares a written file with LiteRT and with the converter's, and
// returns the SQNR of its outputs.
func (c *liteCase) judge(t *testing.T, peer peerResult) float64 {
	var facts liteFacts
	readJSON(t, c.file("facts.json"), &facts)
	if facts.Error != "" {
		t.Fatalf("LiteRT: %s", facts.Error)
	}
	if peer.Error == "" {
		c.compare(t, facts)
	} else {
		c.compareNear(t)
	}
	ref, def := c.score(t, "ref"), c.score(t, "default")
	size := fileBytes(t, c.file("tflite"))
	ratio := float64(size) / float64(peer.Bytes)
	t.Logf("%d bytes, the converter's %d (%+.1f %%); SQNR %.2f dB (with the default kernels %.2f), the converter's %.2f",
		size, peer.Bytes, 100*(ratio-1), ref.sqnr, def.sqnr, peer.SQNR)
	if def.sqnr < ref.sqnr-mostLost {
		t.Errorf("the default kernels lose %.2f dB", ref.sqnr-def.sqnr)
	}
	if peer.Error != "" {
		t.Logf("LiteRT cannot run the converter's file: %s; floats here: %v", peer.Error, facts.Floats)
		if ref.sqnr < leastAlone {
			t.Errorf("SQNR %.2f dB, at least %d are wanted", ref.sqnr, leastAlone)
		}
		return ref.sqnr
	}
	for _, name := range slices.Sorted(maps.Keys(facts.Floats)) {
		if peer.Floats[name] == 0 {
			t.Errorf("%d %s compute on floats, the converter's on integers", facts.Floats[name], name)
		}
	}
	if ratio > peerBytes {
		t.Errorf("the file is %.1f %% larger than the converter's", 100*(ratio-1))
	}
	if peer.MSE != nil {
		t.Logf("error of the reconstruction %.3f, the converter's %.3f", ref.mse, *peer.MSE)
		if ref.mse > *peer.MSE {
			t.Errorf("it reconstructs worse than the converter's")
		}
	}
	if ref.right == nil {
		return ref.sqnr
	}
	var pairs metric.Pairs
	if peer.Samples != len(ref.right) {
		t.Fatalf("converter.json is of %d samples, there are %d", peer.Samples, len(ref.right))
	}
	for i, ok := range ref.right {
		pairs.Add(!slices.Contains(peer.Wrong, i), ok)
	}
	p := pairs.McNemar()
	t.Logf("accuracy %.2f %%, the converter's %.2f %% (p = %.2f, %d samples)", 100*pairs.Second().Value(), 100*pairs.First().Value(), p, peer.Samples)
	if p <= 0.05 && pairs.Change() < 0 {
		t.Errorf("it answers significantly worse than the converter's")
	}
	return ref.sqnr
}

func fileBytes(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// floatWithin is how far what operators on floats compute may lie from what
// LiteRT's do, in parts of the largest magnitude.
const floatWithin = 1e-5

// compare holds what this engine computes to the reference kernels: to the bit,
// or where the last operators compute on floats, which other sums round
// otherwise, within floatWithin.
func (c *liteCase) compare(t *testing.T, facts liteFacts) {
	t.Helper()
	lite := open(t, c.file("tflite"))
	for _, part := range []string{"test", "noise"} {
		for k, got := range runSamples(t, lite, c.array(t, part)) {
			want := c.array(t, fmt.Sprintf("%s.ref.%d", part, k))
			if len(facts.Floats) == 0 {
				if off := differing(t, got, want); off > 0 {
					t.Errorf("%s: %d of %d elements of output %d are not those of the reference kernels", part, off, want.Len(), k)
				}
				continue
			}
			var e metric.Error
			e.Add(tensor.Data[float32](want), tensor.Data[float32](got))
			most := float64(0)
			for _, v := range tensor.Data[float32](want) {
				most = max(most, math.Abs(float64(v)))
			}
			if e.Max() > floatWithin*most {
				t.Errorf("%s: output %d lies up to %.3g from what the reference kernels compute, of %.3g", part, k, e.Max(), most)
			}
		}
	}
}

// leastAgreement is the SQNR of what this engine computes where LiteRT's default
// kernels give the signal.
const leastAgreement = 20

// compareNear holds a model whose first part computes on floats, and logarithms
// at that, to LiteRT's default kernels: what is rounded behind moves by steps.
func (c *liteCase) compareNear(t *testing.T) {
	t.Helper()
	for k, got := range runSamples(t, open(t, c.file("tflite")), c.array(t, "test")) {
		var e metric.Error
		e.Add(tensor.Data[float32](c.array(t, fmt.Sprintf("test.default.%d", k))), tensor.Data[float32](got))
		if t.Logf("output %d: %.1f dB", k, e.SQNR()); e.SQNR() < leastAgreement {
			t.Errorf("output %d is not what the default kernels compute", k)
		}
	}
}

func (c *liteCase) array(t *testing.T, part string) *tensor.Tensor {
	t.Helper()
	x, err := octavo.ReadArray(c.file(part + ".npy"))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// runSamples runs a model over samples on a first axis, and returns each output
// with its samples on a first axis.
func runSamples(t *testing.T, m *octavo.Model, x *tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	info, err := m.Inspect()
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Compile()
	if err != nil {
		t.Fatal(err)
	}
	rows, n := make([][]float32, len(info.Outputs)), x.Shape()[0]
	shapes := make([][]int, len(rows))
	for i := range n {
		one, err := x.Slice(i, i+1).Reshape(x.Shape()[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Run(context.Background(), octavo.Inputs{info.Inputs[0].Name: one})
		if err != nil {
			t.Fatal(err)
		}
		for k, o := range info.Outputs {
			y := out[o.Name]
			rows[k], shapes[k] = append(rows[k], tensor.Data[float32](y)...), y.Shape()
		}
	}
	var outs []*tensor.Tensor
	for k, r := range rows {
		outs = append(outs, tensor.FromSlice(r, append([]int{n}, shapes[k]...)...))
	}
	return outs
}

// liteScore is how good the outputs of a file are.
type liteScore struct {
	sqnr, mse float64
	right     []bool // nil without labels
}

// score judges what LiteRT made of the test samples.
func (c *liteCase) score(t *testing.T, kernels string) liteScore {
	t.Helper()
	x := c.array(t, "test")
	var e, back metric.Error
	var out liteScore
	source := open(t, c.source())
	fixBatch(t, source)
	for k, want := range runSamples(t, source, x) {
		got := c.array(t, fmt.Sprintf("test.%s.%d", kernels, k))
		if got.Len() != want.Len() {
			t.Fatalf("output %d: %v, want %v", k, got, want)
		}
		e.Add(tensor.Data[float32](want), tensor.Data[float32](got))
		if k > 0 {
			continue
		}
		if got.Len() == x.Len() {
			back.Add(tensor.Data[float32](x), tensor.Data[float32](got))
		}
		if _, err := os.Stat(c.file("labels.npy")); err == nil {
			labels, _ := tensor.Ints(c.array(t, "labels"))
			y := tensor.Data[float32](got)
			classes := len(y) / len(labels)
			for i, l := range labels {
				row := y[i*classes : (i+1)*classes]
				out.right = append(out.right, slices.Index(row, slices.Max(row)) == int(l))
			}
		}
	}
	out.sqnr, out.mse = e.SQNR(), back.MSE()
	return out
}
