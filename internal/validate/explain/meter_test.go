package explain

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/metric"
)

// TestMeterGivesTheFiguresOfMetric compares the sums with the exact ones.
func TestMeterGivesTheFiguresOfMetric(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, sizes := range [][]int{{1}, {2}, {3, 4}, {101, 64, 1, 7}, {span, 3*span + 5}} {
		var m meter
		var e metric.Error
		for _, n := range sizes {
			want, got := make([]float32, n), make([]float32, n)
			for i := range want {
				want[i] = float32(r.NormFloat64())
				got[i] = want[i] + float32(0.1*r.NormFloat64())
			}
			m.add(want, got)
			e.Add(want, got)
		}
		f := m.figures()
		for _, c := range []struct {
			what      string
			got, want float64
		}{{"SQNR", *f.SQNR, e.SQNR()}, {"cosine", *f.Cosine, e.Cosine()}, {"largest error", *f.Max, e.Max()}} {
			if math.Abs(c.got-c.want) > 1e-6*math.Abs(c.want) {
				t.Errorf("%v: %s is %v, want %v", sizes, c.what, c.got, c.want)
			}
		}
	}
}

// TestMeterOfAnySize: numbers whose squares are no float32, and exact ones.
func TestMeterOfAnySize(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct{ size, error float64 }{{1e25, 1e-3}, {1e-30, 1e-3}, {1, 1e-22}, {1, 0}, {1e-20, 1e20}} {
		var m meter
		var e metric.Error
		want, got := make([]float32, span+9), make([]float32, span+9)
		for i := range want {
			want[i] = float32(c.size * r.NormFloat64())
			got[i] = want[i] + float32(c.size*c.error*r.NormFloat64())
		}
		m.add(want, got)
		e.Add(want, got)
		f := m.figures()
		if got, want := *f.Max, e.Max(); math.Abs(got-want) > 1e-6*want {
			t.Errorf("%+v: greatest error %v, want %v", c, got, want)
		}
		if got, want := *f.Cosine, e.Cosine(); math.Abs(got-want) > 1e-6 {
			t.Errorf("%+v: cosine %v, want %v", c, got, want)
		}
		if f.SQNR != nil && math.Abs(*f.SQNR-e.SQNR()) > 1e-4 || f.SQNR == nil && !math.IsInf(e.SQNR(), 1) {
			t.Errorf("%+v: SQNR %v, want %v", c, f.SQNR, e.SQNR())
		}
	}
}

func TestMeterOfWhatIsNoNumber(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		want, got          []float32
		sqnr, cosine, most bool // whether there is a figure
	}{
		{[]float32{0, 0}, []float32{0, 0}, false, true, true},
		{[]float32{1, 2}, []float32{1, 2}, false, true, true},
		{[]float32{0, 0}, []float32{1, 0}, false, true, true},
		{[]float32{1, inf}, []float32{1, inf}, false, false, false},
		{[]float32{1, nan, 1}, []float32{1, 1, 1}, false, false, false},
		{[]float32{}, []float32{}, false, false, false},
	} {
		var m meter
		m.add(c.want, c.got)
		f := m.figures()
		if (f.SQNR != nil) != c.sqnr || (f.Cosine != nil) != c.cosine || (f.Max != nil) != c.most {
			t.Errorf("%v against %v: figures %+v", c.got, c.want, f)
		}
	}
}
