package dataset

import (
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// opened opens text by one of the readers and reads all samples: nothing may
// panic, and no sample may have a shape that the input does not take.
func opened(t *testing.T, text []byte, read func(o *opener, p Path, b []byte) error) {
	for _, in := range []Input{
		{"x", dtype.Float32, []int{-1, 3}},
		{"x", dtype.Int64, []int{-1, -1}},
		{"x", dtype.Uint8, []int{2, 1, 2}},
		{"x", dtype.Float64, nil},
	} {
		d := &Dataset{spec: Spec{Inputs: []Input{in}, Pad: map[string]float64{"x": 1}}, columns: []column{{in: in}}}
		o := opener{d: d}
		if read(&o, Path{Path: "fuzz"}, text) != nil || o.finish() != nil {
			continue
		}
		for i := range min(d.n, 100) {
			s, err := d.At(i)
			if err != nil {
				continue
			}
			if x := s["x"]; x.Type() != in.Type || !fits(x.Shape(), in.Shape) {
				t.Fatalf("sample %d of %q is %v for %v", i, text, x, in)
			}
		}
		if l := d.labels; !l.none() && l.len() != d.n {
			t.Fatalf("%d labels for %d samples", l.len(), d.n)
		}
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"x_0,x_1,x_2,label\n1,2,3,4\n", "1,2,3\n4,5,6", "a,b,c\n1,\"2\",3\r\n\n1,2\n", "x[2],x[0],x[1],target_0,target_1\n1,2,3,4,5\n", "\"a\"\"b\"\n1\n", "x\n\"1\n2\"\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { opened(t, b, (*opener).csv) })
}

func FuzzJSONL(f *testing.F) {
	for _, s := range []string{"{\"x\": [1, 2, 3], \"label\": 4}\n", "[1,2,3]\n[4,5,6]\n", "{\"x\": [[1],[2,3]], \"labels\": [1,2]}", "{\"x\": 1.5, \"target\": \"dog\"}\n", "[[[1,2]],[[3,4]]]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { opened(t, b, (*opener).jsonl) })
}

func FuzzLabels(f *testing.F) {
	for _, s := range []string{"1\n2\n", "file,label\na.png,1\n", "a.png 1\nb.png 2\n", "{\"file\": \"a.png\", \"label\": [1,2]}\n", "cat\ndog\n", "0.5\n1e3\n", "\x93NUMPY\x01\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, e, err := parseLabels("fuzz", b, []string{"cat", "dog"}, func(name string) bool { return len(name)%2 == 1 })
		if err == nil && e != nil && l.len() != len(e) {
			t.Fatalf("%d labels of %d entries in %q", l.len(), len(e), b)
		}
		if l.classes != nil && l.targets != nil {
			t.Fatalf("%q is classes and targets", b)
		}
	})
}

func FuzzTensor(f *testing.F) {
	f.Add([]byte("\x08\x02\x10\x01\x4a\x08\x00\x00\x80\x3f\x00\x00\x00\x40"))
	f.Add([]byte("\x08\x03\x10\x02\x2a\x04\x01\x00\xff\x01"))
	f.Add([]byte("\x0a\x02\x01\x02\x10\x07\x38\x05\x38\x06"))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := parseTensor(b)
		if err != nil {
			return
		}
		if n, ok := tensor.Count(x.Shape()); !ok || x.Len() != n || len(x.Bytes()) > 8*len(b) {
			t.Fatalf("%v of %d bytes", x, len(b))
		}
	})
}

func FuzzList(f *testing.F) {
	f.Add([]byte("# files\na.npy\n\nsub/b.npz\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := parseList("fuzz", b)
		if (err == nil) != (len(entries) > 0) {
			t.Fatalf("%d entries of %q, %v", len(entries), b, err)
		}
		for _, e := range entries {
			if e.text == "" || e.text[0] == '#' || e.text[0] == '@' {
				t.Fatalf("entry %q of %q", e.text, b)
			}
		}
	})
}
