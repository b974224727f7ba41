package op

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/reduce"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// geometry places the windows of a pool on data of shape x.
func (w window) geometry(x []int, l Layout) (Geometry, error) {
	batch, channels, dims, err := l.spatial(x)
	if err != nil {
		return Geometry{}, err
	}
	if w, err = w.resolvePool(len(dims)); err != nil {
		return Geometry{}, err
	}
	g, err := w.lay(dims)
	g.Batch, g.Channels, g.Filters, g.Layout = batch, channels, channels, l
	return g, err
}

// resolvePool resolves the attributes of a pool, where every window must reach
// into the input.
func (w window) resolvePool(rank int) (window, error) {
	w, err := w.resolve(rank)
	if err != nil {
		return w, err
	}
	for i := range w.kernel {
		if b, e := w.pads[i], w.pads[rank+i]; max(b, e) >= w.span(i) {
			return w, fmt.Errorf("pads %v reach beyond a kernel that spans %d", w.pads, w.span(i))
		}
	}
	return w, nil
}

// inferPool returns the output's shape of a pool.
func (w window) inferPool(x Shape, l Layout) (Shape, error) {
	rank := len(x)
	if x == nil {
		rank = len(w.kernel) + 2
	}
	if rank < 3 {
		return nil, fmt.Errorf("data of shape %v has no spatial axis", x)
	}
	w, err := w.resolvePool(rank - 2)
	if err != nil {
		return nil, err
	}
	channels := Unknown
	if x != nil {
		channels = x[l.Channel(rank)]
	}
	return inferWindows(w, x, rank, l, channels)
}

// eachWindow calls visit with the input places that the window of each output
// place reads, in the order of the taps, padding left out. The slice is reused.
func (g Geometry) eachWindow(visit func(place int, from []int)) {
	rank := len(g.In)
	at := make([]int, rank)
	var from, next []int
	for p := range g.Places() {
		unravel(at, p, g.Out)
		from = append(from[:0], 0)
		for i := range rank {
			first := at[i]*g.Strides[i] - g.Begin[i]
			t := 0
			if first < 0 {
				t = (-first + g.Dilations[i] - 1) / g.Dilations[i]
			}
			next = next[:0]
			for _, o := range from {
				for u := t; u < g.Kernel[i]; u++ {
					c := first + u*g.Dilations[i]
					if c >= g.In[i] {
						break
					}
					next = append(next, o*g.In[i]+c)
				}
			}
			from, next = next, from
		}
		visit(p, from)
	}
}

// Padded returns how many taps of the window of an output place lie inside the
// input with its padding.
func (g Geometry) Padded(place int) int {
	at := make([]int, len(g.In))
	unravel(at, place, g.Out)
	n := 1
	for i, o := range at {
		room := g.In[i] + g.Begin[i] + g.End[i] - o*g.Strides[i]
		n *= min(g.Kernel[i], max(0, (room+g.Dilations[i]-1)/g.Dilations[i]))
	}
	return n
}

// poolFloats stores in each output the reduction of its window. reduceTo gets
// the values, in the order of the taps, and the output place.
func poolFloats[T float32 | float64](y, x []T, g Geometry, reduceTo func(vals []T, place int) T) {
	in, out := plane{g.Channels, inner(g.In, 0), g.Layout}, plane{g.Channels, g.Places(), g.Layout}
	var vals []T
	g.eachWindow(func(place int, from []int) {
		for n := range g.Batch {
			for c := range g.Channels {
				base, step := in.at(n, c, 0), in.step()
				vals = vals[:0]
				for _, o := range from {
					vals = append(vals, x[base+o*step])
				}
				y[out.at(n, c, place)] = reduceTo(vals, place)
			}
		}
	})
}

// sum adds in the order that all reductions have.
func sum[T float32 | float64](x []T) T {
	switch x := any(x).(type) {
	case []float32:
		return T(reduce.SumF32(x))
	}
	var s T
	for _, v := range x {
		s += v
	}
	return s
}

// evalFloatPool runs a pool with the reduction that reducers returns.
func evalFloatPool(o Op, in []Datum, geometry func(x []int) (Geometry, error), reducers func(Geometry) (func([]float32, int) float32, func([]float64, int) float64)) ([]Datum, error) {
	return evalWide(o, in, 1, true, func(in []Datum, _ []Fact) ([]Datum, error) {
		x := in[0].Tensor
		g, err := geometry(x.Shape())
		if err != nil {
			return nil, err
		}
		y, err := room(Fact{Shape: Known(g.Shape()...)}, x.Type())
		if err != nil {
			return nil, err
		}
		single, double := reducers(g)
		if x.Type() == dtype.Float64 {
			poolFloats(tensor.Data[float64](y), tensor.Data[float64](x), g, double)
		} else {
			poolFloats(tensor.Data[float32](y), tensor.Data[float32](x), g, single)
		}
		return Of(y), nil
	})
}

// dataOnly are the facts of an operator with one activation and no weight.
func dataOnly() Facts {
	f := NoFacts()
	f.Data = []int{0}
	return f
}
