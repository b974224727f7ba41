package reduce_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	. "github.com/octavo-ml/octavo/internal/kernels/reduce"
)

// Ceilings of the error against float64, relative to the sum of magnitudes or
// to 1.
const (
	maxSumError  = 1e-6
	maxNormError = 4e-6
)

// model is the definition of the package comment, word by word.
func model(x []float32) float32 {
	var lane [16]float32
	for i, v := range x {
		lane[i%16] += v
	}
	for _, w := range []int{8, 4, 2, 1} {
		for j := 0; j < w; j++ {
			lane[j] += lane[j+w]
		}
	}
	return lane[0]
}

func draw(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64() * math.Exp2(float64(rng.IntN(20)-10)))
	}
	return x
}

var lengths = []int{0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 97, 128, 255, 256, 257, 300, 1009, 4096}

func equal(a, b float32) bool {
	return a != a && b != b || math.Float32bits(a) == math.Float32bits(b)
}

func TestSumFollowsDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range lengths {
		x := draw(rng, n)
		if n%2 == 0 {
			for i := range n / 2 {
				x[i] = float32(math.Copysign(0, -1)) // the sum of two is +0
			}
		}
		want := model(x)
		if got := SumF32(x); !equal(got, want) {
			t.Errorf("length %d: SumF32 is %v, want %v", n, got, want)
		}
		for _, stride := range []int{1, 2, 5} {
			wide := make([]float32, n*stride)
			for i, v := range x {
				wide[i*stride] = v
			}
			if got := SumStrided(wide, n, stride); !equal(got, want) {
				t.Errorf("length %d, stride %d: got %v, want %v", n, stride, got, want)
			}
		}
		var pieces Sum
		for rest := x; len(rest) > 0; {
			k := min(1+rng.IntN(40), len(rest))
			if rng.IntN(2) == 0 {
				pieces.Add(rest[:k])
			} else {
				pieces.AddStrided(rest, k, 1)
			}
			rest = rest[k:]
		}
		if got := pieces.Total(); !equal(got, want) || pieces.Len() != n {
			t.Errorf("length %d in pieces: got %v of %d, want %v", n, got, pieces.Len(), want)
		}
		if got := MeanF32(x); !equal(got, want/float32(n)) || !equal(pieces.Mean(), got) {
			t.Errorf("length %d: mean %v, %v", n, got, pieces.Mean())
		}
	}
}

func TestSumColumns(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for _, rows := range []int{0, 1, 15, 16, 17, 49, 100} {
		for _, cols := range []int{0, 1, 3, 63, 64, 65, 200} {
			x, got := draw(rng, rows*cols), draw(rng, cols)
			SumColumns(got, x)
			for c := range cols {
				var want float32
				if rows > 0 {
					want = SumStrided(x[c:], rows, cols)
				}
				if !equal(got[c], want) {
					t.Fatalf("%d x %d: column %d is %v, want %v", rows, cols, c, got[c], want)
				}
			}
		}
	}
}

func TestSumAccuracy(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range lengths {
		x := draw(rng, n)
		var exact, magnitude float64
		for _, v := range x {
			exact += float64(v)
			magnitude += math.Abs(float64(v))
		}
		if d := math.Abs(float64(SumF32(x)) - exact); d > maxSumError*magnitude {
			t.Errorf("length %d: off by %v of %v", n, d, magnitude)
		}
	}
}

func TestSpecialSums(t *testing.T) {
	inf, nan, negZero := float32(math.Inf(1)), float32(math.NaN()), float32(math.Copysign(0, -1))
	for _, c := range []struct {
		x    []float32
		want float32
	}{
		{nil, 0}, {[]float32{negZero}, 0}, {[]float32{1, inf}, inf}, {[]float32{inf, -inf}, nan}, {[]float32{nan, 1}, nan},
	} {
		if got := SumF32(c.x); !equal(got, c.want) {
			t.Errorf("sum of %v is %v, want %v", c.x, got, c.want)
		}
	}
}

func TestExtremes(t *testing.T) {
	inf, nan, negZero := float32(math.Inf(1)), float32(math.NaN()), float32(math.Copysign(0, -1))
	for _, c := range []struct {
		x                                      []float32
		lo, hi                                 float32
		argMin, argMinLast, argMax, argMaxLast int
	}{
		{[]float32{3}, 3, 3, 0, 0, 0, 0},
		{[]float32{2, 5, -1, 5, -1}, -1, 5, 2, 4, 1, 3},
		{[]float32{0, negZero}, negZero, 0, 0, 1, 0, 1},
		{[]float32{1, nan, inf, nan}, nan, nan, 1, 3, 1, 3},
		{[]float32{-inf, 1, inf}, -inf, inf, 0, 0, 2, 2},
	} {
		n := len(c.x)
		if got := Min(c.x); !equal(got, c.lo) {
			t.Errorf("least of %v is %v", c.x, got)
		}
		if got := Max(c.x); !equal(got, c.hi) {
			t.Errorf("greatest of %v is %v", c.x, got)
		}
		got := [4]int{ArgMin(c.x, n, 1, false), ArgMin(c.x, n, 1, true), ArgMax(c.x, n, 1, false), ArgMax(c.x, n, 1, true)}
		if want := [4]int{c.argMin, c.argMinLast, c.argMax, c.argMaxLast}; got != want {
			t.Errorf("positions in %v: got %v, want %v", c.x, got, want)
		}
	}
	x := []int8{1, 100, -7, -100, 9, 100}
	if lo, hi, at := MinStrided(x, 3, 2), MaxStrided(x, 3, 2), ArgMax(x[1:], 3, 2, true); lo != -7 || hi != 9 || at != 2 {
		t.Errorf("strided: least %d, greatest %d at %d", lo, hi, at)
	}
	if at := ArgMin([]int8{}, 0, 1, false); at != -1 {
		t.Errorf("position in nothing: %d", at)
	}
}

func TestSoftmax(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, n := range lengths[1:] {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64() * 5)
		}
		m := Max(x)
		e := make([]float32, n)
		var exact float64
		for i, v := range x {
			e[i] = eltwise.Exp(v - m)
			exact += math.Exp(float64(v) - float64(m))
		}
		s := model(e)
		soft, logs := make([]float32, n), make([]float32, n)
		Softmax(soft, x)
		LogSoftmax(logs, x)
		for i, v := range x {
			if !equal(soft[i], e[i]/s) {
				t.Fatalf("length %d: softmax %d is %v, want %v", n, i, soft[i], e[i]/s)
			}
			if want := (v - m) - eltwise.Log(s); !equal(logs[i], want) {
				t.Fatalf("length %d: log-softmax %d is %v, want %v", n, i, logs[i], want)
			}
			if d := math.Abs(float64(soft[i]) - math.Exp(float64(v)-float64(m))/exact); d > maxNormError {
				t.Errorf("length %d: softmax %d is off by %v", n, i, d)
			}
		}
		inPlace := append([]float32(nil), x...)
		Softmax(inPlace, inPlace)
		LogSoftmax(x, x)
		for i := range x {
			if !equal(inPlace[i], soft[i]) || !equal(x[i], logs[i]) {
				t.Fatalf("length %d: in place differs at %d", n, i)
			}
		}
	}
}

func TestNorms(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	const eps = 1e-5
	for _, n := range lengths[2:] {
		x, scale, bias := make([]float32, n), make([]float32, n), make([]float32, n)
		var mean64, var64, ms64 float64
		for i := range x {
			x[i], scale[i], bias[i] = float32(3+rng.NormFloat64()), rng.Float32()+0.5, rng.Float32()
			mean64 += float64(x[i]) / float64(n)
			ms64 += float64(x[i]) * float64(x[i]) / float64(n)
		}
		d, dd, xx := make([]float32, n), make([]float32, n), make([]float32, n)
		mean := model(x) / float32(n)
		for i, v := range x {
			d[i] = v - mean
			dd[i] = d[i] * d[i]
			xx[i] = v * v
			var64 += (float64(v) - mean64) * (float64(v) - mean64) / float64(n)
		}
		r := 1 / eltwise.Sqrt(model(dd)/float32(n)+eps)
		rms := 1 / eltwise.Sqrt(model(xx)/float32(n)+eps)
		layer, bare, root := make([]float32, n), make([]float32, n), make([]float32, n)
		gotMean, gotR := LayerNorm(layer, x, scale, bias, eps)
		LayerNorm(bare, x, nil, nil, eps)
		gotRMS := RMSNorm(root, x, scale, eps)
		if !equal(gotMean, mean) || !equal(gotR, r) || !equal(gotRMS, rms) {
			t.Fatalf("length %d: mean %v, 1/std %v, 1/rms %v; want %v, %v, %v", n, gotMean, gotR, gotRMS, mean, r, rms)
		}
		for i, v := range x {
			if want := float32(float32(d[i]*r)*scale[i]) + bias[i]; !equal(layer[i], want) {
				t.Fatalf("length %d: LayerNorm %d is %v, want %v", n, i, layer[i], want)
			}
			if want := float32(d[i] * r); !equal(bare[i], want) {
				t.Fatalf("length %d: plain LayerNorm %d is %v, want %v", n, i, bare[i], want)
			}
			if want := float32(v*rms) * scale[i]; !equal(root[i], want) {
				t.Fatalf("length %d: RMSNorm %d is %v, want %v", n, i, root[i], want)
			}
			exact := (float64(v)-mean64)/math.Sqrt(var64+eps)*float64(scale[i]) + float64(bias[i])
			if e := math.Abs(float64(layer[i]) - exact); n > 16 && e > maxNormError {
				t.Errorf("length %d: LayerNorm %d is off by %v", n, i, e)
			}
			exact = float64(v) / math.Sqrt(ms64+eps) * float64(scale[i])
			if e := math.Abs(float64(root[i]) - exact); e > maxNormError {
				t.Errorf("length %d: RMSNorm %d is off by %v", n, i, e)
			}
		}
	}
}

func BenchmarkSum(b *testing.B) {
	x := draw(rand.New(rand.NewPCG(1, 1)), 4096)
	b.SetBytes(int64(4 * len(x)))
	for b.Loop() {
		SumF32(x)
	}
}

func TestSoftmaxRowsAreThoseOfEachRow(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	rng := rand.New(rand.NewPCG(71, 72))
	for _, n := range []int{0, 1, 2, 3, 5, 8, 9, 15, 16, 17, 40} {
		for _, rows := range []int{0, 1, 2, 33, 700} {
			x := draw(rng, n*rows)
			for i := 7; i < len(x); i += 41 {
				x[i] = []float32{inf, -inf, nan, 0, float32(math.Copysign(0, -1))}[rng.IntN(5)]
			}
			want, got := make([]float32, len(x)), make([]float32, len(x))
			for i := range rows {
				Softmax(want[i*n:(i+1)*n], x[i*n:(i+1)*n])
			}
			SoftmaxRows(got, x, n)
			SoftmaxRows(x, x, n)
			for i, v := range want {
				if !equal(got[i], v) || !equal(x[i], v) {
					t.Fatalf("%d rows of %d: element %d is %v, in place %v, want %v", rows, n, i, got[i], x[i], v)
				}
			}
		}
	}
}
