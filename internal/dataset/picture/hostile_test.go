package picture_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"path"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dataset/picture"
	"github.com/octavo-ml/octavo/internal/diag"
)

func TestTruncated(t *testing.T) {
	for _, name := range slices.Concat(pictures(t, "other"), pictures(t, "jpeg420")) {
		b := readPicture(t, name)
		last := len(b) - 1
		if path.Ext(name) == ".gif" {
			last-- // what follows the first frame is not asked for
			if strings.Contains(name, "animated") {
				last /= 3
			}
		}
		for i := range 17 {
			n := last * i / 16
			p, err := picture.Decode(b[:n])
			var broken *diag.FormatError
			if p != nil || !errors.As(err, &broken) {
				t.Errorf("%s of %d bytes, cut after %d: picture %v, error %v", name, len(b), n, p != nil, err)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	photo := readPicture(t, "jpeg420/20.jpg")
	scan := slices.Index(photo, 0xda) - 1
	progressive := readPicture(t, "other/444p.jpg")
	lastScan := strings.LastIndex(string(progressive), "\xff\xda")
	for _, c := range []struct{ name, content, want string }{
		{"empty", "", "the file is empty"},
		{"text", "BMW is no picture, whatever it begins with", "the content is no jpeg, png, gif, bmp, webp, tiff, pgm or ppm"},
		{"page in place of a picture", "<!DOCTYPE html><html><head>", "the content is no jpeg, png, gif, bmp, webp, tiff, pgm or ppm"},
		{"sound", "RIFF\x24\x00\x00\x00WAVEfmt ", "the content is no jpeg, png, gif, bmp, webp, tiff, pgm or ppm"},
		{"head alone", "\x89PNG\r\n\x1a\n", "png: truncated: the file ends before the picture does"},
		{"cut jpeg", string(photo[:len(photo)/2]), "jpeg: truncated: the file ends before the picture does"},
		{"cut jpeg with an end", string(photo[:len(photo)/2]) + "\xff\xd9", "jpeg: truncated: the file ends before the picture does"},
		{"jpeg without scans", string(photo[:scan]) + "\xff\xd9", "jpeg: truncated: component 1 of 3 is missing"},
		{"progressive jpeg without its last scan", string(progressive[:lastScan]) + "\xff\xd9", "jpeg: truncated: component 1 of 3 lacks its last scans"},
		{"arithmetic coding", strings.Replace(string(photo), "\xff\xc0", "\xff\xc9", 1), "jpeg: jpeg coding process 9 not supported; baseline, extended sequential and progressive with Huffman codes are"},
		{"grey map without samples", "P5\n2 2\n255\n\x01\x02\x03", "pnm: truncated: the header says 2 x 2 pixels, the bytes hold 3 at most"},
		{"grey map without a size", "P5\n2 #\n", "pnm: a number of the header is missing"},
		{"pixel map of two bytes a sample", "P6\n1 1\n65535\n\x00\x00\x00\x00\x00\x00", "pnm: samples up to 65535 not supported; 255 is the most"},
		{"animated webp", "RIFF\x12\x00\x00\x00WEBPANIM\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00", "webp: an animation not supported; still pictures are"},
	} {
		p, err := picture.Decode([]byte(c.content))
		if p != nil || err == nil || err.Error() != c.want {
			t.Errorf("%s: picture %v, error %v, want %s", c.name, p != nil, err, c.want)
		}
	}
}

// resized returns the file with another size in its header.
func resized(t *testing.T, name string, width, height int) []byte {
	b := readPicture(t, name)
	le, be := binary.LittleEndian, binary.BigEndian
	switch path.Ext(name) {
	case ".jpg":
		at := strings.Index(string(b), "\xff\xc0")
		be.PutUint16(b[at+5:], uint16(height))
		be.PutUint16(b[at+7:], uint16(width))
	case ".png":
		be.PutUint32(b[16:], uint32(width))
		be.PutUint32(b[20:], uint32(height))
		be.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	case ".gif":
		le.PutUint16(b[6:], uint16(width))
		le.PutUint16(b[8:], uint16(height))
	case ".bmp":
		le.PutUint32(b[18:], uint32(width))
		le.PutUint32(b[22:], uint32(height))
	case ".webp":
		if string(b[12:16]) == "VP8L" {
			le.PutUint32(b[21:], uint32(width-1)|uint32(height-1)<<14)
		} else {
			le.PutUint16(b[26:], uint16(width))
			le.PutUint16(b[28:], uint16(height))
		}
	}
	return b
}

// TestSizeBeforeAllocation has headers promise more than is allowed, and more
// than the bytes behind them can hold.
func TestSizeBeforeAllocation(t *testing.T) {
	for _, name := range []string{"444.jpg", "grey.jpg", "rgb.png", "l16.png", "plain.gif", "rgb.bmp", "lossless.webp", "lossy5.webp"} {
		for _, c := range []struct {
			side int
			want string
		}{
			{16000, "a picture of 16000 x 16000 pixels not supported; 100 Mpixel is the most"},
			{9999, "truncated: the header says 9999 x 9999 pixels"},
		} {
			b := resized(t, "other/"+name, c.side, c.side)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p, err := picture.Decode(b)
			runtime.ReadMemStats(&after)
			if p != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: picture %v, error %v, want %s", name, p != nil, err, c.want)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 1<<18 {
				t.Errorf("%s: %d bytes are allocated before the size is refused", name, n)
			}
		}
	}
}

// TestPaddingBeforeAllocation has a picture of one column, whose units are 32
// columns wide.
func TestPaddingBeforeAllocation(t *testing.T) {
	b := resized(t, "other/411.jpg", 1, 65535)
	p, err := picture.Decode(b)
	want := "jpeg: truncated: the header says 49152 blocks, the bytes hold "
	if p != nil || err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("picture %v, error %v, want %s", p != nil, err, want)
	}
}

// FuzzDecode wants no panic, and no more pixels than bytes can stand for.
func FuzzDecode(f *testing.F) {
	for _, name := range slices.Concat(pictures(f, "other"), pictures(f, "jpeg420")) {
		f.Add(readPicture(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := picture.Decode(b)
		if err != nil {
			var broken *diag.FormatError
			var unsupported *diag.UnsupportedError
			if p != nil || !errors.As(err, &broken) && !errors.As(err, &unsupported) {
				t.Fatalf("picture %v, error %v of type %T", p != nil, err, err)
			}
			return
		}
		pixels := p.Width * p.Height
		if p.Width <= 0 || p.Height <= 0 || p.Channels != 1 && p.Channels != 3 || len(p.Pix) != pixels*p.Channels {
			t.Fatalf("%d x %d x %d in %d bytes", p.Width, p.Height, p.Channels, len(p.Pix))
		}
		if pixels > 100_000_000 || pixels > 1<<20+8256*len(b) {
			t.Fatalf("%d pixels of %d bytes", pixels, len(b))
		}
	})
}

func BenchmarkJPEG(b *testing.B) {
	photo := readPicture(b, "jpeg420/14.jpg")
	for b.Loop() {
		p, err := picture.Decode(photo)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(p.Pix)))
	}
}
