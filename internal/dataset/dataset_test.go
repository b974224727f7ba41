package dataset_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dataset"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/npy"
)

var image = dataset.Input{Name: "x", Type: dtype.Float32, Shape: []int{-1, 2, 2}}

func spec(in ...dataset.Input) dataset.Spec { return dataset.Spec{Inputs: in} }

// ramp is a float32 array that counts up.
func ramp(shape ...int) *tensor.Tensor {
	n, _ := tensor.Count(shape)
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i)
	}
	return tensor.FromSlice(x, shape...)
}

func writeNpy(t *testing.T, path string, x *tensor.Tensor) string {
	t.Helper()
	var b bytes.Buffer
	if err := dataset.WriteArray(&b, x); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

type named struct {
	name string
	x    *tensor.Tensor
}

func writeNpz(t *testing.T, path string, arrays ...named) string {
	t.Helper()
	var b bytes.Buffer
	w := npy.NewArchiveWriter(&b)
	for _, a := range arrays {
		descr := map[dtype.Type]string{dtype.Float32: "<f4", dtype.Float64: "<f8", dtype.Int64: "<i8", dtype.Uint8: "|u1"}[a.x.Type()]
		if err := w.Add(a.name, descr, a.x.Shape(), a.x.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, s dataset.Spec, paths ...string) *dataset.Dataset {
	t.Helper()
	d, err := dataset.Open(parsed(s, paths), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func parsed(s dataset.Spec, paths []string) []dataset.Path {
	var out []dataset.Path
	for _, p := range paths {
		out = append(out, dataset.ParsePath(p, s))
	}
	return out
}

func at(t *testing.T, d *dataset.Dataset, i int, name string) *tensor.Tensor {
	t.Helper()
	in, err := d.At(i)
	if err != nil {
		t.Fatal(err)
	}
	return in[name]
}

func TestRanksAndBatches(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, x *tensor.Tensor) string { return writeNpy(t, filepath.Join(dir, name), x) }
	for _, c := range []struct {
		name    string
		in      dataset.Input
		x       *tensor.Tensor
		n       int
		shape   []int
		first   float32 // of sample 1
		dropped bool
	}{
		{"equal rank, free batch", image, ramp(3, 2, 2), 3, []int{1, 2, 2}, 4, false},
		{"rank and one, free batch", image, ramp(3, 5, 2, 2), 3, []int{5, 2, 2}, 20, false},
		{"fixed batch", dataset.Input{Name: "x", Type: dtype.Float32, Shape: []int{2, 2}}, ramp(5, 2), 2, []int{2, 2}, 4, true},
		{"fixed shape, rank and one", dataset.Input{Name: "x", Type: dtype.Float32, Shape: []int{1, 2}}, ramp(4, 1, 2), 4, []int{1, 2}, 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := open(t, spec(c.in), file("a.npy", c.x))
			if d.Len() != c.n {
				t.Fatalf("%d samples, want %d", d.Len(), c.n)
			}
			x := at(t, d, 1, "x")
			if !slices.Equal(x.Shape(), c.shape) || tensor.Data[float32](x)[0] != c.first {
				t.Errorf("sample 1 is %v from %v, want %v from %v", x, tensor.Data[float32](x)[0], c.shape, c.first)
			}
			if got := len(d.Warnings()) > 0; got != c.dropped {
				t.Errorf("warnings %v", d.Warnings())
			}
		})
	}
}

func TestArchivesFoldersAndSeveralPaths(t *testing.T) {
	dir := t.TempDir()
	labels := tensor.FromSlice([]int64{3, 1}, 2)
	a := writeNpz(t, filepath.Join(dir, "a.npz"), named{"x", ramp(2, 2, 2)}, named{"labels", labels})
	d := open(t, spec(image), a, a)
	if d.Len() != 4 || !slices.Equal(d.Labels(), []int64{3, 1, 3, 1}) || tensor.Data[float32](at(t, d, 3, "x"))[0] != 4 {
		t.Errorf("%d samples with labels %v", d.Len(), d.Labels())
	}
	// The only array stands for the only input, whatever its name.
	other := writeNpz(t, filepath.Join(dir, "other.npz"), named{"arr_0", ramp(2, 2, 2)})
	if d := open(t, spec(image), other); d.Len() != 2 {
		t.Errorf("%d samples", d.Len())
	}
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"2.npy", "1.npy", "3.npy"} {
		x := ramp(1, 2, 2)
		tensor.Data[float32](x)[0] = float32(n[0] - '0')
		writeNpy(t, filepath.Join(folder, n), x)
	}
	d = open(t, spec(image), folder)
	for i := range 3 {
		if got := tensor.Data[float32](at(t, d, i, "x"))[0]; got != float32(i+1) {
			t.Errorf("sample %d is %v: files must stand in the order of their names", i, got)
		}
	}
}

func TestTypes(t *testing.T) {
	dir := t.TempDir()
	ids := dataset.Input{Name: "ids", Type: dtype.Int64, Shape: []int{-1, 2}}
	d := open(t, spec(ids), writeNpy(t, filepath.Join(dir, "u8.npy"), tensor.FromSlice([]uint8{1, 255}, 1, 2)))
	if x := at(t, d, 0, "ids"); !slices.Equal(tensor.Data[int64](x), []int64{1, 255}) {
		t.Errorf("got %v", tensor.Data[int64](x))
	}
	d = open(t, spec(image), writeNpy(t, filepath.Join(dir, "f8.npy"), tensor.FromSlice([]float64{1, 2, 3, 4}, 1, 2, 2)))
	if x := at(t, d, 0, "x"); tensor.Data[float32](x)[3] != 4 || len(d.Warnings()) != 1 || d.Warnings()[0].ID != "OCT010" {
		t.Errorf("float64: %v, %v", x, d.Warnings())
	}
	small := dataset.Input{Name: "ids", Type: dtype.Int8, Shape: []int{-1, 2}}
	d = open(t, spec(small), writeNpy(t, filepath.Join(dir, "wide.npy"), tensor.FromSlice([]int64{1, 300}, 1, 2)))
	if _, err := d.At(0); err == nil || !strings.Contains(err.Error(), "300") {
		t.Errorf("a value that does not fit: %v", err)
	}
	d = open(t, spec(ids), writeNpy(t, filepath.Join(dir, "f4.npy"), ramp(1, 2)))
	if _, err := d.At(0); err == nil || !strings.Contains(err.Error(), "astype") {
		t.Errorf("float for integer: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	x := writeNpy(t, filepath.Join(dir, "x.npy"), ramp(3, 2, 2))
	two := spec(image, dataset.Input{Name: "mask", Type: dtype.Float32, Shape: []int{-1}})
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(dir, "text.npy")
	if err := os.WriteFile(text, []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	filled := spec(image)
	filled.Fill = map[string]*tensor.Tensor{"x": ramp(2, 2)}
	for name, c := range map[string]struct {
		s     dataset.Spec
		paths []string
		want  string // in the error or its notes
	}{
		"all filled":     {filled, []string{x}, "leave out --fill"},
		"no data":        {spec(image), nil, "no data"},
		"missing file":   {spec(image), []string{filepath.Join(dir, "none.npy")}, "none.npy"},
		"empty folder":   {spec(image), []string{empty}, "holds no"},
		"no array":       {spec(image), []string{text}, "not a NumPy array"},
		"wrong rank":     {spec(image), []string{writeNpy(t, filepath.Join(dir, "r.npy"), ramp(3))}, "does not fit"},
		"wrong shape":    {spec(image), []string{writeNpy(t, filepath.Join(dir, "s.npy"), ramp(3, 2, 3))}, "does not fit"},
		"which input":    {two, []string{x}, "--data NAME="},
		"missing input":  {two, []string{"x=" + x}, "--fill mask"},
		"unequal counts": {two, []string{"x=" + x, "mask=" + writeNpy(t, filepath.Join(dir, "m.npy"), ramp(2))}, "3 samples"},
		"wrong name":     {two, []string{writeNpz(t, filepath.Join(dir, "n.npz"), named{"y", ramp(3, 2, 2)}, named{"z", ramp(3)})}, "inputs: x, mask"},
		"labels":         {spec(image), []string{writeNpz(t, filepath.Join(dir, "l.npz"), named{"x", ramp(3, 2, 2)}, named{"labels", tensor.FromSlice([]int64{1}, 1)})}, "1 labels for 3 samples"},
		"no samples":     {spec(image), []string{writeNpy(t, filepath.Join(dir, "z.npy"), ramp(0, 2, 2))}, "no samples"},
	} {
		_, err := dataset.Open(parsed(c.s, c.paths), c.s)
		if err == nil {
			t.Errorf("%s: got nil, want an error", name)
			continue
		}
		if all := err.Error() + strings.Join(diag.Notes(err), "\n"); !strings.Contains(all, c.want) {
			t.Errorf("%s: %q does not mention %q", name, all, c.want)
		}
	}
}

func TestFillAndSpread(t *testing.T) {
	dir := t.TempDir()
	s := spec(image, dataset.Input{Name: "flag", Type: dtype.Int64, Shape: []int{}})
	s.Fill = map[string]*tensor.Tensor{"flag": tensor.Scalar[int64](1)}
	d := open(t, s, writeNpy(t, filepath.Join(dir, "x.npy"), ramp(10, 2, 2)))
	if x := at(t, d, 4, "flag"); tensor.Data[int64](x)[0] != 1 {
		t.Errorf("filled with %v", x)
	}
	if got := d.Spread(4); !slices.Equal(got, []int{0, 2, 5, 7}) {
		t.Errorf("4 of 10: %v", got)
	}
	if got := d.Spread(0); len(got) != 10 {
		t.Errorf("all: %v", got)
	}
}

func TestLoadLabels(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) string {
		path := filepath.Join(dir, "labels.txt")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	array := func(x *tensor.Tensor) string { return writeNpy(t, filepath.Join(dir, "l.npy"), x) }
	d := open(t, spec(image), writeNpy(t, filepath.Join(dir, "x.npy"), ramp(3, 2, 2)))
	for _, c := range []struct {
		name    string
		path    func() string
		classes []int64
		targets [][]float32
		want    string // in the error
	}{
		{"text", func() string { return file("3\n1\n2\n") }, []int64{3, 1, 2}, nil, ""},
		{"text of Windows", func() string { return file("3\r\n1\r\n2\r\n") }, []int64{3, 1, 2}, nil, ""},
		{"text of floats", func() string { return file("3\n1.5\n2\n") }, nil, [][]float32{{3}, {1.5}, {2}}, ""},
		{"integers", func() string { return array(tensor.FromSlice([]int64{5, 0, 1}, 3)) }, []int64{5, 0, 1}, nil, ""},
		{"a column", func() string { return array(tensor.FromSlice([]int64{5, 0, 1}, 3, 1)) }, []int64{5, 0, 1}, nil, ""},
		{"floats", func() string { return array(tensor.FromSlice([]float32{5, 0, 1}, 3)) }, nil, [][]float32{{5}, {0}, {1}}, ""},
		{"rows", func() string { return array(tensor.FromSlice([]float64{1, 2, 3, 4, 5, 6}, 3, 2)) }, nil, [][]float32{{1, 2}, {3, 4}, {5, 6}}, ""},
		{"a word", func() string { return file("3\ncat\n2\n") }, nil, nil, ":2:"},
		{"too few", func() string { return file("3\n") }, nil, nil, "1 labels for 3 samples"},
	} {
		err := d.LoadLabels(c.path())
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %s", c.name, err, c.want)
			}
			continue
		}
		if err != nil || !slices.Equal(d.Labels(), c.classes) || fmt.Sprint(d.Targets()) != fmt.Sprint(c.targets) {
			t.Errorf("%s: %v, %v, %v", c.name, d.Labels(), d.Targets(), err)
		}
		if _, err := d.Classes(); (err != nil) != (c.targets != nil) {
			t.Errorf("%s: classes: %v", c.name, err)
		}
	}
}

func TestTargetsOfAnArchive(t *testing.T) {
	dir := t.TempDir()
	a := writeNpz(t, filepath.Join(dir, "a.npz"), named{"x", ramp(2, 2, 2)}, named{"targets", ramp(2, 3)})
	d := open(t, spec(image), a, a)
	if d.Labels() != nil || fmt.Sprint(d.Targets()) != "[[0 1 2] [3 4 5] [0 1 2] [3 4 5]]" {
		t.Errorf("targets %v, labels %v", d.Targets(), d.Labels())
	}
	b := writeNpz(t, filepath.Join(dir, "b.npz"), named{"x", ramp(2, 2, 2)}, named{"labels", tensor.FromSlice([]int64{3, 1}, 2)})
	s := spec(image)
	if _, err := dataset.Open(parsed(s, []string{a, b}), s); err == nil || !strings.Contains(err.Error(), "a.npz:targets: labels are float32") {
		t.Errorf("floats and integers: %v", err)
	}
}
