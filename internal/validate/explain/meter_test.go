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
	for _, sizes := range [][]int{{1}, {2}, {3, 4}, {101, 64, 1, 7}} {
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
			if math.Abs(c.got-c.want) > 1e-12*math.Abs(c.want) {
				t.Errorf("%v: %s is %v, want %v", sizes, c.what, c.got, c.want)
			}
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
