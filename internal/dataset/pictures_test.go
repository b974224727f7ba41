package dataset_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/octavo-ml/octavo/internal/dataset"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// length is a spec of one input whose samples are the lengths of the files of
// pictures; a file that begins with "bad" is broken.
func length() dataset.Spec {
	s := spec(dataset.Input{Name: "x", Type: dtype.Float32, Shape: []int{1}})
	s.Picture = func(in dataset.Input, file []byte) (*tensor.Tensor, error) {
		if strings.HasPrefix(string(file), "bad") {
			return nil, errors.New("not a picture")
		}
		return tensor.FromSlice([]float32{float32(len(file))}, 1), nil
	}
	return s
}

// folder makes files of given lengths below a folder and returns it.
func folder(t *testing.T, files map[string]int) string {
	t.Helper()
	dir := t.TempDir()
	for name, n := range files {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), strings.Repeat("x", n))
	}
	return dir
}

// lengths returns the values of all samples.
func lengths(t *testing.T, d *dataset.Dataset) []int {
	t.Helper()
	var out []int
	for i := range d.Len() {
		out = append(out, int(tensor.Data[float32](at(t, d, i, "x"))[0]))
	}
	return out
}

func warned(d *dataset.Dataset) string {
	var out []string
	for _, w := range d.Warnings() {
		out = append(out, w.String()+" "+strings.Join(w.Notes, " "))
	}
	return strings.Join(out, "\n")
}

func TestPictureFolders(t *testing.T) {
	flat := folder(t, map[string]int{"b.png": 2, "a.JPG": 1, "10.webp": 3, "9.gif": 4, ".hidden.png": 9, "labels.csv": 9, "cover.psd": 9})
	d := open(t, length(), flat)
	if got := lengths(t, d); !slices.Equal(got, []int{3, 4, 1, 2}) || d.Labels() != nil {
		t.Errorf("a folder: %v, labels %v", got, d.Labels())
	}
	if w := warned(d); !strings.Contains(w, "OCT018") || !strings.Contains(w, "1 files or folders beside the pictures") || !strings.Contains(w, "cover.psd") {
		t.Errorf("warnings %q", w)
	}
	nested := folder(t, map[string]int{"dog/1.png": 1, "cat/2.png": 2, "cat/more/3.png": 3, "Zebra/4.bmp": 4, "eel/notes.txt": 9})
	d = open(t, length(), nested)
	if got := lengths(t, d); !slices.Equal(got, []int{4, 2, 3, 1}) || !slices.Equal(d.Labels(), []int64{0, 1, 1, 2}) {
		t.Errorf("folders that are classes: %v, labels %v", got, d.Labels())
	}
	if w := warned(d); !strings.Contains(w, "OCT017") || !strings.Contains(w, "1 of 4 classes have no sample") || !strings.Contains(w, "eel") {
		t.Errorf("warnings %q", w)
	}
	s := length()
	s.ClassNames = []string{"dog", "cat", "ant", "Zebra"}
	s.LabelOffset = 5 // not for names
	d = open(t, s, nested)
	if !slices.Equal(d.Labels(), []int64{3, 1, 1, 0}) || !strings.Contains(warned(d), "ant") {
		t.Errorf("names of classes: %v, %s", d.Labels(), warned(d))
	}
	s.ClassNames = []string{"dogs", "cat", "Zebra"}
	if _, err := dataset.Open(parsed(s, []string{nested}), s); err == nil || !strings.Contains(err.Error(), `folder "dog" is none of the 3 names`) {
		t.Errorf("an unknown folder: %v", err)
	}
	s = length()
	s.LabelOffset = 1
	if d := open(t, s, nested, nested); !slices.Equal(d.Labels(), []int64{1, 2, 2, 3, 1, 2, 2, 3}) {
		t.Errorf("offset: %v", d.Labels())
	}
	other := folder(t, map[string]int{"dog/1.png": 1})
	if _, err := dataset.Open(parsed(s, []string{nested, other}), s); err == nil || !strings.Contains(err.Error(), "not those of the folder before") {
		t.Errorf("other classes: %v", err)
	}
	empty := folder(t, map[string]int{"dog/notes.txt": 1})
	if _, err := dataset.Open(parsed(s, []string{empty}), s); err == nil || !strings.Contains(err.Error(), "holds no .npy or .npz files") {
		t.Errorf("no pictures: %v", err)
	}
	d = open(t, length(), filepath.Join(nested, "dog", "1.png"), filepath.Join(nested, "cat", "2.png"))
	if got := lengths(t, d); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("single files: %v", got)
	}
}

// TestLinksOutOfTheFolder holds that a folder of pictures stands for nothing
// outside of it.
func TestLinksOutOfTheFolder(t *testing.T) {
	dir := folder(t, map[string]int{"in/a.png": 1, "b.png": 2})
	if err := os.Symlink(filepath.Join("..", "b.png"), filepath.Join(dir, "in", "c.png")); err != nil {
		t.Skip(err)
	}
	d := open(t, length(), filepath.Join(dir, "in"))
	if _, err := d.At(1); err == nil || !strings.Contains(err.Error(), "c.png: ") {
		t.Errorf("a link out of the folder: %v", err)
	}
}

func TestLabelFilesOfPictures(t *testing.T) {
	dir := folder(t, map[string]int{"a.png": 1, "b.png": 2, "c d.png": 3})
	names := []string{"cat", "dog"}
	for _, c := range []struct {
		name, file, text string
		names            []string
		want             string // the labels, or what the error says
	}{
		{"with header", "l.csv", "file,label\nb.png,1\na.png,0\nc d.png,1\n", nil, "[0 1 1]"},
		{"other columns", "l.csv", "id,class,image\n7,1,b.png\n8,0,a.png\n9,1,c d.png\n", nil, "[0 1 1]"},
		{"no header", "l.csv", "b.png,1\na.png,0\nc d.png,1\n", nil, "[0 1 1]"},
		{"with folders", "l.csv", "some/b.png,1\n./a.png,0\nsome\\c d.png,1\n", nil, "[0 1 1]"},
		{"names", "l.csv", "b.png,dog\na.png,cat\nc d.png,dog\n", names, "[0 1 1]"},
		{"file label", "l.txt", "c d.png 4\nb.png 2\na.png\t3\n", nil, "[3 2 4]"},
		{"JSON", "l.jsonl", "{\"file\": \"b.png\", \"label\": 1}\n{\"file\": \"a.png\", \"label\": 0}\n{\"file\": \"c d.png\", \"label\": \"2\"}\n", nil, "[0 1 2]"},
		{"JSON in order", "l.jsonl", "{\"label\": 1}\n{\"label\": 0}\n{\"label\": 2}\n", nil, "[1 0 2]"},
		{"in order", "l.txt", "3\n1\n2\n", nil, "[3 1 2]"},
		{"column in order", "l.csv", "label\n3\n1\n2\n", nil, "[3 1 2]"},
		{"names in order", "l.txt", "big dog\ncat\nbig dog\n", []string{"cat", "big dog"}, "[1 0 1]"},
		{"floats", "l.csv", "file,label\nb.png,1\na.png,0.5\nc d.png,1\n", nil, "[] [[0.5] [1] [1]]"},
		{"missing", "l.csv", "b.png,1\na.png,0\nx.png,3\n", nil, "l.csv: 1 of 3 files have no label\nc d.png\nlabels for files that the data lacks: x.png\n--skip-bad"},
		{"twice", "l.csv", "b.png,1\na.png,0\na.png,0\nc d.png,1\n", nil, "l.csv: 1 files are named more than once\na.png"},
		{"of other data", "l.csv", "x.png,1\ny.png,0\n", nil, `l.csv:1: the data has no file "x.png"`},
		{"no names", "l.csv", "b.png,dog\na.png,cat\nc d.png,dog\n", nil, "l.csv:1: \"dog\" is no class index\n--class-names"},
		{"wrong name", "l.csv", "b.png,dgo\na.png,cat\nc d.png,dog\n", names, "l.csv:1: \"dgo\" is no class index\ndid you mean dog?"},
		{"a short line", "l.csv", "b.png,1\na.png\n", nil, "l.csv:2: want a file and its label"},
		{"too few", "l.txt", "1\n", nil, "1 labels for 3 samples"},
		{"empty", "l.txt", "\n", nil, "holds no labels"},
		{"no label", "l.jsonl", "{\"file\": \"b.png\"}\n", nil, `l.jsonl:1: the line has no "label"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := length()
			s.ClassNames = c.names
			d := open(t, s, dir)
			err := d.LoadLabels(write(t, filepath.Join(t.TempDir(), c.file), c.text))
			got := fmt.Sprint(d.Labels())
			if d.Targets() != nil {
				got += " " + fmt.Sprint(d.Targets())
			}
			if err != nil {
				got = err.Error() + "\n" + strings.Join(diag.Notes(err), "\n")
			}
			if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	labels := write(t, filepath.Join(t.TempDir(), "l.csv"), "b.png,1\nx.png,3\nc d.png,0\n")
	s := length()
	s.SkipBad = true
	d := open(t, s, dir)
	if err := d.LoadLabels(labels); err != nil {
		t.Fatal(err)
	}
	if got := lengths(t, d); !slices.Equal(got, []int{2, 3}) || !slices.Equal(d.Labels(), []int64{1, 0}) {
		t.Errorf("without those that have no label: %v, %v", got, d.Labels())
	}
	if w := warned(d); strings.Count(w, "OCT016") != 2 || !strings.Contains(w, "x.png") || !strings.Contains(w, "a.png") {
		t.Errorf("warnings %q", w)
	}
}

func TestSameNameInSeveralFolders(t *testing.T) {
	dir := folder(t, map[string]int{"a/1.png": 1, "b/1.png": 2})
	d := open(t, length(), dir)
	if err := d.LoadLabels(write(t, filepath.Join(t.TempDir(), "l.csv"), "b/1.png,7\na/1.png,8\n")); err != nil || !slices.Equal(d.Labels(), []int64{8, 7}) {
		t.Errorf("%v, %v", d.Labels(), err)
	}
	if err := d.LoadLabels(write(t, filepath.Join(t.TempDir(), "l.csv"), "b/1.png,7\n1.png,8\n")); err == nil || !strings.Contains(err.Error(), "1 names fit several files") {
		t.Errorf("%v", err)
	}
}

func TestOffByOne(t *testing.T) {
	dir := folder(t, map[string]int{"a.png": 1, "b.png": 2})
	for _, c := range []struct {
		labels string
		scores int
		want   bool
	}{{"3\n999\n", 1001, true}, {"0\n5\n", 1001, true}, {"3\n1000\n", 1001, false}, {"3\n999\n", 1000, false}} {
		d := open(t, length(), dir)
		if err := d.LoadLabels(write(t, filepath.Join(t.TempDir(), "l.txt"), c.labels)); err != nil {
			t.Fatal(err)
		}
		d.CheckClasses(c.scores)
		if got := strings.Contains(warned(d), "--label-offset 1"); got != c.want {
			t.Errorf("labels %q of %d: %v", c.labels, c.scores, got)
		}
	}
}

// TestLargeSamplesAreFew: how many samples are made ahead goes by their size.
func TestLargeSamplesAreFew(t *testing.T) {
	var made, most atomic.Int64
	s := dataset.Spec{Inputs: []dataset.Input{{Name: "x", Type: dtype.Float32, Shape: []int{-1, 3, 512, 512}}}}
	s.Picture = func(dataset.Input, []byte) (*tensor.Tensor, error) {
		made.Add(1)
		return tensor.New(dtype.Float32, 1, 3, 512, 512), nil
	}
	files := map[string]int{}
	for i := range 30 {
		files[fmt.Sprintf("%02d.png", i)] = i + 1
	}
	d := open(t, s, folder(t, files))
	used := int64(0)
	for _, err := range d.Each(d.Spread(0), 3, nil) {
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		most.Store(max(most.Load(), made.Load()-used))
		used++
	}
	if n := most.Load(); n > 2*3+2 {
		t.Errorf("%d samples at a time", n)
	}
}

func TestEach(t *testing.T) {
	files := map[string]int{}
	for i := range 60 {
		files[fmt.Sprintf("%02d.png", i)] = i + 1
	}
	dir := folder(t, files)
	for _, workers := range []int{1, 2, 7} {
		s := length()
		var made, used, most atomic.Int64
		inner := s.Picture
		s.Picture = func(in dataset.Input, file []byte) (*tensor.Tensor, error) {
			if len(file)%5 == 0 {
				time.Sleep(time.Millisecond) // so that they do not end in order
			}
			n := made.Add(1) - used.Load()
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			return inner(in, file)
		}
		d := open(t, s, dir)
		before := runtime.NumGoroutine()
		next := 0
		for x, err := range d.Each(d.Spread(0), workers, nil) {
			if err != nil {
				t.Fatal(err)
			}
			if got := tensor.Data[float32](x.Inputs["x"])[0]; x.Index != next || int(got) != next+1 {
				t.Fatalf("%d workers: sample %d is number %d of length %v", workers, next, x.Index, got)
			}
			next++
			used.Add(1)
		}
		if next != 60 {
			t.Errorf("%d workers: %d samples", workers, next)
		}
		// One was yielded and is not counted as used until the loop's body ends.
		if most.Load() > int64(8*workers+2) {
			t.Errorf("%d workers: %d samples at a time", workers, most.Load())
		}
		for range d.Each(d.Spread(0), workers, nil) {
			break
		}
		// A goroutine that has done its work takes a moment to go.
		for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d workers: %d goroutines, %d before", workers, n, before)
		}
	}
}

func TestBrokenPictures(t *testing.T) {
	dir := folder(t, map[string]int{"a.png": 1, "c.png": 3, "e.png": 5})
	write(t, filepath.Join(dir, "b.png"), "bad")
	write(t, filepath.Join(dir, "d.png"), "bad")
	d := open(t, length(), dir)
	n := 0
	var last error
	for _, err := range d.Each(d.Spread(0), 2, nil) {
		n++
		last = err
	}
	if n != 2 || last == nil || !strings.Contains(last.Error(), filepath.Join(dir, "b.png")+": not a picture") || !slices.Contains(diag.Notes(last), "--skip-bad leaves broken pictures out") {
		t.Errorf("after %d samples: %v, %v", n, last, diag.Notes(last))
	}
	s := length()
	s.SkipBad = true
	d = open(t, s, dir)
	var warning diag.Warning
	var got []int
	for x, err := range d.Each(d.Spread(0), 2, func(w diag.Warning) { warning = w }) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, x.Index)
	}
	if !slices.Equal(got, []int{0, 2, 4}) || warning.ID != "OCT015" || !strings.HasPrefix(warning.Msg, "2 of 5 pictures") || !strings.Contains(warning.Notes[0], "b.png") {
		t.Errorf("samples %v, %v", got, warning)
	}
	bad := filepath.Join(t.TempDir(), "bad")
	write(t, filepath.Join(bad, "b.png"), "bad")
	d = open(t, s, bad)
	for _, err := range d.Each(d.Spread(0), 2, nil) {
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), "all 1 pictures are broken") {
		t.Errorf("all are broken: %v", last)
	}
}
