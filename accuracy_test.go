package octavo

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// realModels is the folder of third-party models with labelled data.
const realModels = "../shared/models"

// subject is a model with its calibration and test samples.
type subject struct {
	name        string
	path        string
	calib, test []Sample
	// maxDrop is the allowed loss of accuracy in percentage points.
	maxDrop float64
}

// TestDefaultRecipeKeepsAccuracy quantizes with the defaults and holds the loss
// on the test split against what is allowed.
func TestDefaultRecipeKeepsAccuracy(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	for _, s := range subjects(t) {
		t.Run(s.name, func(t *testing.T) {
			v := judge(t, s, Recipe{Mode: Static})
			f, q := v.Models[0], v.Models[1]
			t.Logf("%d samples: float %.2f %%, int8 %.2f %%, drop %.2f points (p = %.2f), agreement %.2f %%, SQNR %.1f dB",
				v.Samples, 100*f.Accuracy.Value, 100*q.Accuracy.Value, 100*q.Drop.Value, q.Drop.P, 100**q.Agreement, *q.SQNR)
			if 100*q.Drop.Value > s.maxDrop {
				t.Errorf("drop of %.2f points, allowed %.2f", 100*q.Drop.Value, s.maxDrop)
			}
		})
	}
}

// judge quantizes a subject and validates the result on its test samples.
func judge(t *testing.T, s subject, r Recipe) *Verdict {
	t.Helper()
	m := open(t, s.path)
	q, err := Quantize(context.Background(), m, r, WithCalibration(inputsOf(s.calib)))
	if err != nil {
		t.Fatal(err)
	}
	v, err := Validate(context.Background(), m, []*Model{q}, labelled(s.test), ValidateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func inputsOf(s []Sample) iter.Seq2[Inputs, error] {
	return func(yield func(Inputs, error) bool) {
		for _, x := range s {
			if !yield(x.Inputs, nil) {
				return
			}
		}
	}
}

func labelled(s []Sample) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		for _, x := range s {
			if !yield(x, nil) {
				return
			}
		}
	}
}

func subjects(t *testing.T) []subject {
	t.Helper()
	var out []subject
	if _, err := os.Stat(fixtures); err == nil {
		for _, d := range []struct {
			name, file string
			drop       float64
		}{{"digits_mlp", "op13", 0.5}, {"digits_resnet", "op13", 0.5}, {"digits_mobilenet", "op13", 0.7}, {"digits_vit", "op14", 1.5}} {
			out = append(out, subject{d.name, filepath.Join(fixtures, d.name, d.name+"."+d.file+".onnx"),
				digits(t, "calib"), digits(t, "test"), d.drop})
		}
	} else {
		t.Logf("without the fixtures: %v", err)
	}
	if _, err := os.Stat(realModels); err != nil {
		t.Logf("without the real models: %v", err)
		return out
	}
	kws := keywords(t)
	out = append(out, subject{"kws", filepath.Join(realModels, "derived/kws.onnx"), every(kws, 8, true), every(kws, 8, false), 0.5})
	for _, d := range []struct {
		name, path string
		scale      float32
	}{
		{"mnist_conv_fc", "derived/mnist_conv_fc.onnx", 1.0 / 255},
		{"mnist_cntk", "mnist/mnist-8_cntk.onnx", 1},
	} {
		p := filepath.Join(realModels, d.path)
		m := open(t, p)
		images := handwriting(t, m.graph.Inputs[0].Name, d.scale, fixedShape(m))
		out = append(out, subject{d.name, p, every(images, 40, true), every(images, 40, false), 0.5})
	}
	if len(out) == 0 {
		t.Skip("neither the fixtures nor the real models are here")
	}
	return out
}

// fixedShape is the shape of a model's input with free dimensions set to 1.
func fixedShape(m *Model) []int {
	var out []int
	for _, d := range m.graph.Inputs[0].Shape {
		n, ok := d.Int()
		if !ok {
			n = 1
		}
		out = append(out, n)
	}
	return out
}

// every returns the samples whose index n divides, or the others.
func every(s []Sample, n int, divided bool) []Sample {
	var out []Sample
	for i, x := range s {
		if (i%n == 0) == divided {
			out = append(out, x)
		}
	}
	return out
}

// digits are the fixtures' images of one split.
func digits(t *testing.T, split string) []Sample {
	t.Helper()
	x, err := ReadArray(filepath.Join(fixtures, "data", split+"_x.npy"))
	if err != nil {
		t.Fatal(err)
	}
	y, err := ReadArray(filepath.Join(fixtures, "data", split+"_y.npy"))
	if err != nil {
		t.Fatal(err)
	}
	labels, _ := tensor.Ints(y)
	var out []Sample
	for i, l := range labels {
		out = append(out, Sample{Inputs{"input": x.Slice(i, i+1)}, l})
	}
	return out
}

// keywords are the 1000 clips of kws01: int8 [49, 10] of scale 0.5847029 and
// zero point 83, in the order of y_labels.csv ("file,12,label").
func keywords(t *testing.T) []Sample {
	t.Helper()
	files := untar(t, filepath.Join(realModels, "mlperf-tiny/kws/kws01.tar.gz"))
	rows, err := csv.NewReader(strings.NewReader(string(files["y_labels.csv"]))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	m := open(t, filepath.Join(realModels, "derived/kws.onnx"))
	var out []Sample
	for _, r := range rows {
		b := files[r[0]]
		label, err := strconv.ParseInt(strings.TrimSpace(r[2]), 10, 64)
		if err != nil || len(b) != 490 {
			t.Fatalf("clip %s: %d bytes, %v", r[0], len(b), err)
		}
		x := make([]float32, len(b))
		for i, q := range b {
			x[i] = float32(int(int8(q))-83) * 0.5847029089927673
		}
		out = append(out, Sample{Inputs{m.graph.Inputs[0].Name: tensor.FromSlice(x, 1, 1, 49, 10)}, label})
	}
	return out
}

func untar(t *testing.T, name string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(gunzip(t, name))); ; {
		h, err := r.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[path.Base(h.Name)] = b
	}
}

// handwriting are the 10,000 test digits of MNIST, each pixel times scale.
func handwriting(t *testing.T, input string, scale float32, shape []int) []Sample {
	t.Helper()
	images := gunzip(t, filepath.Join(realModels, "mnist/t10k-images-idx3-ubyte.gz"))[16:]
	labels := gunzip(t, filepath.Join(realModels, "mnist/t10k-labels-idx1-ubyte.gz"))[8:]
	var out []Sample
	for i, l := range labels {
		x := tensor.New(dtype.Float32, shape...)
		dst := tensor.Data[float32](x)
		for k := range dst {
			dst[k] = float32(images[i*784+k]) * scale
		}
		out = append(out, Sample{Inputs{input: x}, int64(l)})
	}
	return out
}

func gunzip(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
