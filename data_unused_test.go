package octavo_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo"
)

// TestUnusedOptions: arrays without labels have no use for any option of
// pictures, lines and labels.
func TestUnusedOptions(t *testing.T) {
	m, err := octavo.Load("testdata/demo/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	names, bare := filepath.Join(t.TempDir(), "names.txt"), filepath.Join(t.TempDir(), "x.npy")
	if err := os.WriteFile(names, []byte("zero\none\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(bare)
	if err == nil {
		err = errors.Join(octavo.WriteArray(f, octavo.NewTensor(make([]float32, 128), 2, 1, 8, 8)), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	all := octavo.DataOptions{Pad: []string{"input=0"}, ClassNames: names, LabelOffset: 1, SkipBad: true,
		Preprocess: octavo.Preprocessing{Name: "unit", Color: "gray", Resize: "8x8", Crop: "8", Scale: "1", Mean: "0", Std: "1", Interpolation: "box", Resampler: "pil", Layout: "nchw"}}
	everything := strings.Fields("preprocess color resize crop scale mean std layout interpolation resampler skip-bad pad class-names label-offset")
	for _, c := range []struct {
		name, data string
		options    octavo.DataOptions
		labels     bool
		want       []string
	}{
		{"arrays without labels", bare, all, true, everything},
		{"arrays with labels", "testdata/demo/test.npz", all, true, everything[:len(everything)-2]},
		{"labels that nobody uses", "testdata/demo/test.npz", octavo.DataOptions{LabelOffset: 1}, false, []string{"label-offset"}},
		{"nothing is given", "testdata/demo/calib.npz", octavo.DataOptions{}, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.options.Paths = []string{c.data}
			d, err := m.OpenData(c.options)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			var got []string
			for _, w := range d.Unused(c.labels) {
				flag, why, ok := strings.Cut(w.Msg, " is ignored: ")
				if w.ID != "OCT007" || !ok || why == "" {
					t.Errorf("%v", w)
				}
				got = append(got, strings.TrimPrefix(flag, "--"))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
