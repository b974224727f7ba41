package tensor_test

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestComputedWindowsComeInOrder: several goroutines make windows; the first
// error ends the reading, whoever has it.
func TestComputedWindowsComeInOrder(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	const n, window = 100*64 + 17, 64
	bad := errors.New("cannot be made")
	make := func(fails int64) *tensor.Tensor {
		return tensor.ComputedBy(dtype.Uint8, []int{n}, window, func(off int64, dst []byte) error {
			if off == fails {
				return bad
			}
			for i := range dst {
				dst[i] = byte((off + int64(i)) * 31)
			}
			return nil
		})
	}
	want := make(-1).Bytes()
	for range 50 {
		var got []byte
		err := make(-1).Storage().Chunks(func(b []byte) error { got = append(got, b...); return nil })
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("read differently in order (%v)", err)
		}
		got = got[:0]
		err = make(40 * window).Storage().Chunks(func(b []byte) error { got = append(got, b...); return nil })
		if !errors.Is(err, bad) || !bytes.Equal(got, want[:40*window]) {
			t.Fatalf("%d bytes before the error %v, want %d", len(got), err, 40*window)
		}
		calls := 0
		err = make(-1).Storage().Chunks(func([]byte) error {
			if calls++; calls == 3 {
				return bad
			}
			return nil
		})
		if !errors.Is(err, bad) || calls != 3 {
			t.Fatalf("%d calls, error %v", calls, err)
		}
	}
}

func TestPartIsThoseElements(t *testing.T) {
	x := tensor.New(dtype.Float32, 30, 8)
	d := tensor.Data[float32](x)
	for i := range d {
		d[i] = float32(i)
	}
	odd := append([]byte{0}, x.Bytes()...)
	unaligned, err := tensor.FromBytes(dtype.Float32, []int{30, 8}, odd[1:])
	if err != nil {
		t.Fatal(err)
	}
	turned := tensor.Permuted(tensor.Permute(x, []int{1, 0}), []int{1, 0})
	for name, x := range map[string]*tensor.Tensor{"heap": x, "unaligned": unaligned, "computed": whereabouts(x)["computed"], "turned": turned} {
		for _, cut := range [][2]int{{0, 240}, {16, 50}, {33, 34}, {7, 7}} {
			got, err := tensor.Part(x.ByParts(), cut[0], cut[1], make([]float32, cut[1]-cut[0]))
			if err != nil || !slices.Equal(got, d[cut[0]:cut[1]]) {
				t.Errorf("%s: elements %v are %v (%v)", name, cut, got, err)
			}
		}
	}
	src, perm, ok := tensor.Unpermuted(turned)
	if !ok || !slices.Equal(src.Shape(), []int{8, 30}) || !slices.Equal(perm, []int{1, 0}) {
		t.Errorf("a turned matrix is %v by %v", src, perm)
	}
	flat, err := turned.Reshape(240)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok := tensor.Unpermuted(flat); ok {
		t.Error("a turned matrix that was reshaped still counts as turned")
	}
}

func TestPackTo(t *testing.T) {
	vals := []int8{-8, 7, 3, -1, 5, -2, 1}
	for bits, typ := range map[int]dtype.Type{2: dtype.Int2, 4: dtype.Int4} {
		for n := range len(vals) + 1 {
			want := tensor.Pack(typ, vals[:n], n).Bytes()
			got := slices.Repeat([]byte{0xff}, len(want))
			tensor.PackTo(got, vals[:n], bits)
			if !bytes.Equal(got, want) {
				t.Errorf("%v: %x, want %x", vals[:n], got, want)
			}
		}
	}
}
