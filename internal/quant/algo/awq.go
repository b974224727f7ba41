package algo

import (
	"cmp"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/eltwise"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// alphas is into how many steps the search of AWQ divides the exponents from 0
// to 1.
const alphas = 20

// mulGain is by how much a search has to lower the error where the factors
// cost an operator of their own.
const mulGain = 0.95

// Weight is a matrix that is to be rounded.
type Weight struct {
	Rows Rows
	// Rounded writes what rounding leaves of row i, whose elements are w, to dst.
	Rounded func(dst, w []float32, i int)
}

// Protect searches factors, one for each of the k input channels, by which
// weights are multiplied before they are rounded, and inputs divided: channels
// whose inputs are great count most, and lose least where their weights are
// great (Lin et al., "AWQ: Activation-aware Weight Quantization", 2023). The
// factors are the mean magnitude of the inputs to the power of each α from 0 to
// 1; those of the least squared error of the outputs are taken. inputs are
// rows of k elements. It returns the factors, nil where 1 is best, and the
// share of the error that remains with them.
func Protect(inputs []float32, k int, weights []Weight, threads int) (factors []float32, rest float64) {
	n := len(inputs) / max(k, 1)
	if n == 0 {
		return nil, 1
	}
	mean := make([]float64, k)
	for i := range n {
		for c, v := range inputs[i*k : i*k+k] {
			mean[c] += math.Abs(float64(v))
		}
	}
	var candidates []candidate
	for step := range alphas + 1 {
		f := powers(mean, float32(step)/alphas)
		if f == nil {
			return nil, 1
		}
		candidates = append(candidates, candidate{f, 0})
	}
	// Some rows of each weight tell which exponents are worth a look at all of them.
	if slices.ContainsFunc(weights, func(w Weight) bool { return w.Rows.Count() > sampled }) {
		var some []Weight
		for _, w := range weights {
			some = append(some, w.sample(k))
		}
		for i := range candidates {
			for j, w := range some {
				share := float64(w.Rows.Count()) / float64(weights[j].Rows.Count())
				candidates[i].e += outputErrorOf(inputs, k, w, candidates[i].factors, threads) / share
			}
		}
		slices.SortStableFunc(candidates[1:], func(a, b candidate) int { return cmp.Compare(a.e, b.e) })
		candidates = candidates[:min(1+finalists, len(candidates))]
	}
	for i := range candidates {
		candidates[i].e = 0
		for _, w := range weights {
			candidates[i].e += outputErrorOf(inputs, k, w, candidates[i].factors, threads)
		}
	}
	plain := candidates[0].e
	best := plain
	for _, c := range candidates[1:] {
		if c.e < best {
			best, factors = c.e, c.factors
		}
	}
	if factors == nil || !(plain > 0) {
		return nil, 1
	}
	return factors, best / plain
}

// sampled is how many rows of a weight are looked at first, and finalists how many
// sets of factors are then compared by all rows.
const (
	sampled   = 64
	finalists = 3
)

// candidate is a set of factors and the squared error of the outputs with it.
type candidate struct {
	factors []float32
	e       float64
}

// sample returns some rows of a weight, spread evenly, as another.
func (w Weight) sample(k int) Weight {
	all := w.Rows.Count()
	n := min(all, sampled)
	rows := memoryRows{make([]float32, n*k), k}
	for i := range n {
		w.Rows.Read(rows.all[i*k:i*k+k], i*all/n, 1, 0, k)
	}
	return Weight{rows, func(dst, x []float32, i int) { w.Rounded(dst, x, i*all/n) }}
}

// memoryRows are rows of k elements in memory.
type memoryRows struct {
	all []float32
	k   int
}

func (r memoryRows) Count() int { return len(r.all) / r.k }

func (r memoryRows) Read(dst []float32, first, n, from, to int) {
	for i := range n {
		copy(dst[i*(to-from):(i+1)*(to-from)], r.all[(first+i)*r.k+from:])
	}
}

// leastPower bounds how small a mean counts, relative to the greatest.
const leastPower = 1e-4

// powers returns means to the power of a, divided by the geometric mean of the
// least and the greatest of them; nil where the means are no numbers above 0.
func powers(mean []float64, a float32) []float32 {
	most := 0.0
	for _, v := range mean {
		most = max(most, v)
	}
	if !(most > 0) || math.IsInf(most, 0) {
		return nil
	}
	f, lo, hi := make([]float32, len(mean)), float32(math.Inf(1)), float32(0)
	for c, v := range mean {
		f[c] = eltwise.Pow(float32(max(v/most, leastPower)), a)
		lo, hi = min(lo, f[c]), max(hi, f[c])
	}
	middle := float32(math.Sqrt(float64(lo) * float64(hi)))
	for c := range f {
		f[c] /= middle
	}
	return f
}

// chunk is how many rows of a weight are multiplied at once.
const chunk = 64

// outputErrorOf returns the squared error of the outputs where a weight is
// rounded with its input channels multiplied by factors.
func outputErrorOf(inputs []float32, k int, w Weight, factors []float32, threads int) float64 {
	rows := w.Rows.Count()
	sums := make([]float64, (rows+chunk-1)/chunk)
	Each(len(sums), threads, func(p int) {
		first := p * chunk
		m := min(chunk, rows-first)
		own, e, scaled := make([]float32, m*k), make([]float32, m*k), make([]float32, k)
		w.Rows.Read(own, first, m, 0, k)
		for i := range m {
			row := own[i*k : i*k+k]
			for c, v := range row {
				scaled[c] = v * factors[c]
			}
			dst := e[i*k : i*k+k]
			w.Rounded(dst, scaled, first+i)
			for c, v := range row {
				dst[c] = dst[c]/factors[c] - v
			}
		}
		sums[p] = squaredProduct(inputs, e, k)
	})
	sum := 0.0
	for _, v := range sums {
		sum += v
	}
	return sum
}

// squaredProduct returns the sum of the squares of x times the transpose of e,
// both rows of k elements.
func squaredProduct(x, e []float32, k int) float64 {
	n, m := len(x)/k, len(e)/k
	packed := make([]float32, gemm.Plain(k, m, 1, k).Floats())
	gemm.PackLive(packed, e, k, m, 1, k)
	out := make([]float32, n*m)
	end, rows := gemm.NewFloatEnd(m, nil, false, 0, 0), gemm.RowsOf(n, k)
	for j := 0; j < m; j += gemm.Width {
		gemm.Floats(out[j:], nil, m, x, rows, n, packed[j*k:], j, min(gemm.Width, m-j), end)
	}
	sum := 0.0
	for i := range n {
		part := 0.0
		for _, v := range out[i*m : i*m+m] {
			part += float64(float64(v) * float64(v))
		}
		sum += part
	}
	return sum
}

// Reading is a value whose channels, along the last axis, can be divided by
// factors that the weights of layers which read it take on.
type Reading struct {
	value   *ir.Value
	readers []linear
	norm    *Norm // ends in a gain, and only the readers see it
	before  *Pair // a layer computes it, and only a reader sees it
}

// Value is the one that is read.
func (r Reading) Value() string { return r.value.Name }

// Weights are the names of the weights of the layers that read it.
func (r Reading) Weights() []string {
	var out []string
	for _, l := range r.readers {
		out = append(out, l.weight.Name)
	}
	return out
}

// Folds reports whether dividing the value costs nothing at run time.
func (r Reading) Folds() bool { return r.norm != nil || r.before != nil }

// Worth reports whether factors that leave a share of the error are to be used.
func (r Reading) Worth(rest float64) bool { return rest < mulGain || r.Folds() && rest < 1 }

// Readings finds what layers of g read whose weights are quantized, in order.
func Readings(g *ir.Graph, quantized func(*ir.Node) bool) []Reading {
	uses := g.Uses()
	norms, pairs := map[string]*Norm{}, map[string]*Pair{}
	for _, n := range Norms(g, quantized) {
		if !n.shared && !n.moved {
			norms[n.Value()] = &n
		}
	}
	for _, p := range Pairs(g, func(*ir.Node) bool { return true }) {
		if math.IsInf(p.hi, 1) && p.from.facts.Groups == 1 {
			pairs[p.to.node.In[0].Name] = &p
		}
	}
	var out []Reading
	for _, v := range g.Values() {
		if v.Const != nil || v.Type != dtype.Float32 {
			continue
		}
		r := Reading{value: v, norm: norms[v.Name], before: pairs[v.Name]}
		for _, u := range uses[v] {
			l, ok := rowLayer(u, uses, quantized)
			if ok && (len(r.readers) == 0 || l.inputs() == r.readers[0].inputs()) {
				r.readers = append(r.readers, l)
			}
		}
		if len(r.readers) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// Divide divides the value by factors, one for each channel, as its readers
// see it, and multiplies their weights by them: in the normalization or the
// layer before it, else by an operator of its own. It returns the weight of
// the layer before that has changed, "" where none has, and which axis of it
// runs over the channels.
func (r Reading) Divide(g *ir.Graph, names *ir.Namer, factors []float32) (changed string, axis int) {
	for _, l := range r.readers {
		l.scaleInputs(factors, false)
	}
	inverse := make([]float32, len(factors))
	for c, f := range factors {
		inverse[c] = 1 / f
	}
	switch {
	case r.norm != nil:
		r.norm.divide(r.norm.node, names, factors, "_divided")
		return "", 0
	case r.before != nil:
		r.before.from.scaleOutputs(inverse)
		return r.before.from.weight.Name, r.before.from.axis(r.before.from.facts.WeightAxis)
	}
	read := &ir.Value{Name: names.Name(r.value.Name + "_divided"), Fact: r.value.Fact}
	by := ir.NewConst(names.Name(r.value.Name+"_factors"), tensor.FromSlice(inverse, len(inverse)))
	mul := &ir.Node{Name: names.Name(r.value.Name + "_Mul"), Op: op.New[op.Mul](), In: []*ir.Value{r.value, by}, Out: []*ir.Value{read}}
	at := 0
	for i, n := range g.Nodes {
		for _, v := range n.Out {
			if v == r.value {
				at = i + 1
			}
		}
	}
	g.Nodes = append(g.Nodes[:at], append([]*ir.Node{mul}, g.Nodes[at:]...)...)
	for _, l := range r.readers {
		l.node.In[0] = read
	}
	return "", 0
}
