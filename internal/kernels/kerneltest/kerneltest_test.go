package kerneltest_test

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/kernels/kerneltest"
)

// recorder stands in for a test that is expected to fail.
type recorder struct {
	testing.TB
	failed string
}

func (r *recorder) Helper() {}
func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = fmt.Sprintf(format, args...)
	panic(r)
}

// failure returns what f fails with, if it does.
func failure(t *testing.T, f func(t testing.TB)) string {
	r := &recorder{TB: t}
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(r) {
				panic(p)
			}
		}()
		f(r)
	}()
	return r.failed
}

func TestGuardFindsStoresOutOfBounds(t *testing.T) {
	for at, want := range map[int]string{-1: "wrote 0 at -1 of a slice of 5 elements", 5: "wrote 0 at 5 of a slice of 5 elements", 0: "", 4: ""} {
		got := failure(t, func(t testing.TB) {
			s, check := kerneltest.Guard[int8](t, 5, 3)
			*(*int8)(unsafe.Add(unsafe.Pointer(&s[0]), at)) = 0
			check()
		})
		if got != want {
			t.Errorf("store at %d: got %q, want %q", at, got, want)
		}
	}
}

func TestEqualComparesBits(t *testing.T) {
	nan, zero := float32(math.NaN()), float32(0)
	for _, c := range []struct {
		a, b float32
		same bool
	}{{nan, -nan, true}, {zero, float32(math.Copysign(0, -1)), false}, {1, 1, true}, {1, nan, false}, {nan, 1, false}} {
		if got := failure(t, func(t testing.TB) { kerneltest.Equal(t, []float32{c.a}, []float32{c.b}, "case %d", 1) }); (got == "") != c.same {
			t.Errorf("%v and %v: %q", c.a, c.b, got)
		}
	}
}

func TestIntsReachBothEnds(t *testing.T) {
	r := kerneltest.Rand(1)
	s, u := kerneltest.Ints[int8](r, 500), kerneltest.Ints[uint8](r, 500)
	if slices.Min(s) != -128 || slices.Max(s) != 127 || slices.Min(u) != 0 || slices.Max(u) != 255 {
		t.Errorf("int8 %d…%d, uint8 %d…%d", slices.Min(s), slices.Max(s), slices.Min(u), slices.Max(u))
	}
}

func TestRunLimitsTheProcessor(t *testing.T) {
	before, ran := cpu.Current(), 0
	kerneltest.Run(t, []kerneltest.Variant{{"here", before}, {"generic", cpu.Generic}}, func(t *testing.T) {
		ran++
		if ran == 2 && cpu.Current() != cpu.Generic {
			t.Errorf("level %s", cpu.Current())
		}
	})
	if ran != 2 || cpu.Current() != before {
		t.Errorf("%d runs, level %s afterwards, want %s", ran, cpu.Current(), before)
	}
}

func TestFenceEndsReadableMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("fences are tested on linux")
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	for _, n := range []int{1, 3, 4096, 5000} {
		want := kerneltest.Ints[int8](kerneltest.Rand(1), n)
		s := kerneltest.Fence(t, want)
		kerneltest.Equal(t, s, want, "n=%d", n)
		fault := func() (r any) {
			defer func() { r = recover() }()
			return int(*(*int8)(unsafe.Add(unsafe.Pointer(&s[0]), n)))
		}()
		if _, ok := fault.(runtime.Error); !ok {
			t.Errorf("n=%d: read %v behind the fence", n, fault)
		}
	}
}
