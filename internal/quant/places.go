package quant

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// picks returns up to n of the numbers below count, spread over them: all where
// there are no more, else in steps of the golden ratio, which meets no stride
// of the data. Each sample begins elsewhere.
func picks(count, sample, n int) []int {
	n = min(n, count)
	out := make([]int, n)
	for i := range out {
		if out[i] = i; n < count {
			out[i] = int(uint64(uint32(sample*n+i)*2654435769) * uint64(count) >> 32)
		}
	}
	return out
}

// places holds what a layer computes at some places of each sample, the same
// ones in the float graph and in the quantized one.
type places struct {
	axis    int // of the channels
	number  int // of channels
	each    int // places of a sample at most
	samples [][]float32
}

func newPlaces(l *layer, samples int) *places {
	n := l.weight.Const.Shape()[l.axis]
	return &places{l.facts.Channels, n, max(mostPlaces/max(n*samples, 1), 1), make([][]float32, samples)}
}

// take keeps places of a sample, channel by channel.
func (p *places) take(sample int, t *tensor.Tensor) error {
	axis, err := op.Axis(p.axis, t.Rank())
	if err != nil || t.Shape()[axis] != p.number {
		return fmt.Errorf("output %v has not %d channels on axis %d (%v)", t, p.number, p.axis, err)
	}
	inner := 1
	for _, d := range t.Shape()[axis+1:] {
		inner *= d
	}
	data := tensor.Data[float32](t)
	at := picks(len(data)/max(p.number, 1), sample, p.each)
	for k, i := range at {
		at[k] = i/inner*p.number*inner + i%inner
	}
	out := make([]float32, 0, len(at)*p.number)
	for c := range p.number {
		for _, i := range at {
			out = append(out, data[c*inner+i])
		}
	}
	p.samples[sample] = out
	return nil
}

// of returns the places of one sample and channel.
func (p *places) of(sample, channel int) []float32 {
	n := len(p.samples[sample]) / p.number
	return p.samples[sample][channel*n : channel*n+n]
}

// channel returns the places of all samples in their order, of one channel.
func (p *places) channel(c int) []float32 {
	var parts [][]float32
	for i := range p.samples {
		parts = append(parts, p.of(i, c))
	}
	return slices.Concat(parts...)
}
