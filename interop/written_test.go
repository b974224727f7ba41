package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
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
	Bytes    int64          `json:"bytes"`
	SQNR     float64        `json:"sqnr"`
	Accuracy *float64       `json:"accuracy"`
	Wrong    []int          `json:"wrong"` // test samples that it answers wrongly
	Samples  int            `json:"samples"`
	MSE      *float64       `json:"mse"` // between input and output
	Floats   map[string]int `json:"floats"`
}

// peerBytes is how much larger a file may be than the converter's.
const peerBytes = 1.03

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
		cases[name].write(t, filepath.Join(shared, filepath.FromSlash(cases[name].Model)))
	}
	command(t, py, "written.py", dir)
	better, all := 0, 0
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			peer, ok := peers[name]
			if !ok {
				t.Fatalf("converter.json has no %q: run converter.py", name)
			}
			sqnr := cases[name].judge(t, peer)
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

// write quantizes the model at path with the case's calibration samples.
func (c *liteCase) write(t *testing.T, path string) {
	t.Helper()
	m := open(t, path)
	fixBatch(t, m)
	q := quantize(t, m, c.file("calib.npy"), octavo.Recipe{Mode: octavo.Static, Target: "litert"})
	if err := q.Save(c.file("tflite")); err != nil {
		t.Fatalf("%s: %v", c.name, err)
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
	for _, name := range slices.Sorted(maps.Keys(facts.Floats)) {
		if peer.Floats[name] == 0 {
			t.Errorf("%d %s compute on floats, the converter's on integers", facts.Floats[name], name)
		}
	}
	lite := open(t, c.file("tflite"))
	for _, part := range []string{"test", "noise"} {
		if off, all := c.differing(t, lite, part); off > 0 {
			t.Errorf("%s: %d of %d elements are not those of the reference kernels", part, off, all)
		}
	}
	ref, def := c.score(t, "ref"), c.score(t, "default")
	size := fileBytes(t, c.file("tflite"))
	t.Logf("%d bytes, the converter's %d (%+.1f %%); SQNR %.2f dB (with the default kernels %.2f), the converter's %.2f",
		size, peer.Bytes, 100*(float64(size)/float64(peer.Bytes)-1), ref.sqnr, def.sqnr, peer.SQNR)
	if float64(size) > peerBytes*float64(peer.Bytes) {
		t.Errorf("the file is %.1f %% larger than the converter's", 100*(float64(size)/float64(peer.Bytes)-1))
	}
	if def.sqnr < ref.sqnr-3 {
		t.Errorf("the default kernels lose %.2f dB", ref.sqnr-def.sqnr)
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

// differing counts the elements of all outputs that this engine computes
// otherwise than the reference kernels.
func (c *liteCase) differing(t *testing.T, m *octavo.Model, part string) (off, all int) {
	t.Helper()
	for k, got := range runSamples(t, m, c.array(t, part)) {
		want := c.array(t, fmt.Sprintf("%s.ref.%d", part, k))
		off += differing(t, got, want)
		all += want.Len()
	}
	return off, all
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
	source := open(t, filepath.Join("..", "..", "shared", filepath.FromSlash(c.Model)))
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
