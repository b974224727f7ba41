package picture_test

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dataset/picture"
	"github.com/octavo-ml/octavo/internal/wire/npy"
)

// minWithinOne is the share of pixels that may not be further than one level
// from libjpeg's.
const minWithinOne = 0.999

// pillow returns the pixels that Pillow decodes a file of testdata to.
func pillow(t *testing.T) func(name string) *picture.Picture {
	t.Helper()
	b, err := os.ReadFile("testdata/pixels.npz")
	if err != nil {
		t.Fatal(err)
	}
	a, err := npy.OpenArchive(bytes.NewReader(b), int64(len(b)), 0)
	if err != nil {
		t.Fatal(err)
	}
	if files := len(pictures(t, "jpeg420")) + len(pictures(t, "other")); files != len(a.Members) {
		t.Fatalf("pixels.npz has %d pictures, the folders have %d", len(a.Members), files)
	}
	return func(name string) *picture.Picture {
		m := a.Member(name)
		if m == nil {
			t.Fatalf("pixels.npz lacks %s", name)
		}
		b, err := a.Read(m)
		if err != nil {
			t.Fatal(err)
		}
		h, err := npy.ParseHeader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		p := &picture.Picture{Height: h.Shape[0], Width: h.Shape[1], Channels: 1, Pix: b[h.DataOffset:]}
		if len(h.Shape) == 3 {
			p.Channels = h.Shape[2]
		}
		if h.Fortran {
			t.Fatalf("%s: columns first", name)
		}
		return p
	}
}

// pictures returns the names below testdata/folder.
func pictures(t testing.TB, folder string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("testdata"), folder, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func readPicture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// distances counts the pixels of got by the greatest distance of a channel
// from want.
func distances(t *testing.T, name string, got, want *picture.Picture) (count [256]int) {
	t.Helper()
	if got.Width != want.Width || got.Height != want.Height || got.Channels != want.Channels || len(got.Pix) != len(want.Pix) {
		t.Errorf("%s: got %d x %d x %d, want %d x %d x %d", name, got.Width, got.Height, got.Channels, want.Width, want.Height, want.Channels)
		return count
	}
	for i := 0; i < len(got.Pix); i += got.Channels {
		far := 0
		for c := range got.Channels {
			d := int(got.Pix[i+c]) - int(want.Pix[i+c])
			far = max(far, d, -d)
		}
		count[far]++
	}
	return count
}

// TestJPEGAsLibjpeg is what is promised of photographs: of each of 64 files
// with 4:2:0, nearly all pixels are those of libjpeg.
func TestJPEGAsLibjpeg(t *testing.T) {
	want := pillow(t)
	names := pictures(t, "jpeg420")
	if len(names) != 64 {
		t.Fatalf("%d files, want 64", len(names))
	}
	all, same := 0, 0
	for _, name := range names {
		got, err := picture.Decode(readPicture(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		count := distances(t, name, got, want(name))
		pixels := got.Width * got.Height
		if near := count[0] + count[1]; float64(near) < minWithinOne*float64(pixels) {
			t.Errorf("%s: %d of %d pixels are within one level", name, near, pixels)
		}
		all += pixels
		same += count[0]
	}
	t.Logf("%d of %d pixels are the same", same, all)
}

// TestAsPillow holds every file to the last bit.
func TestAsPillow(t *testing.T) {
	want := pillow(t)
	for _, name := range slices.Concat(pictures(t, "jpeg420"), pictures(t, "other")) {
		t.Run(path.Base(name), func(t *testing.T) {
			b := readPicture(t, name)
			format := strings.Replace(path.Ext(name)[1:], "jpg", "jpeg", 1)
			if got, ok := picture.Sniff(b[:picture.SniffLen]); got != format || !ok {
				t.Errorf("Sniff: got %q, %v", got, ok)
			}
			got, err := picture.Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			count := distances(t, name, got, want(name))
			if count[0] != got.Width*got.Height {
				t.Errorf("of %d x %d pixels, %d are the same, %d off by one", got.Width, got.Height, count[0], count[1])
			}
		})
	}
}
