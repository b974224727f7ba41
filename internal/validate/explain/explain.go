// Package explain says which layers of a quantized model its error comes from:
// for each layer the error that its own quantization causes where its inputs
// are right, and the error that has accumulated up to it.
//
// It sees two graphs and samples; it does not know how the quantized graph was
// made. Start at [Run]; match.go finds the values that the graphs have in
// common, cut.go the layers between them.
package explain

import (
	"context"
	"fmt"
	"iter"
	"maps"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/metric"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Options changes how Run works.
type Options struct {
	// Threads is how many goroutines a run may use; 0: GOMAXPROCS.
	Threads int
	// Rescaled says that the quantizer may have multiplied channels of values by
	// factors of their own, and the weights behind them by the inverse: values
	// are then compared on the quantized model's scale. Of a model in which
	// nothing is rescaled, great errors would be taken for that.
	Rescaled bool
	// Progress is called after each sample.
	Progress func(done int)
}

// Error is how far values lie from the float model's, over all samples.
type Error struct {
	// SQNR is the signal to quantization noise ratio in decibels; nil where it
	// is no number, as without error.
	SQNR *float64 `json:"sqnr_db"`
	// Cosine is that of the angle between the two signals.
	Cosine *float64 `json:"cosine"`
	// Max is the greatest absolute error.
	Max *float64 `json:"max_error"`
}

// Layer is a part of the model between two values that both models have.
type Layer struct {
	// Node names the node of the float model that the layer is called by, Op
	// its operator and Value what the layer computes. Nodes counts those that
	// it consists of in the float model.
	Node  string `json:"node"`
	Op    string `json:"operator"`
	Value string `json:"value"`
	Nodes int    `json:"nodes"`
	// Precision is what it computes with: types of activations x of weights.
	Precision string `json:"precision"`
	// Rescaled says that channels of Value are multiplied by factors of their own
	// in the quantized model; errors are those on its scale.
	Rescaled bool `json:"rescaled"`
	// Alone is the error where the inputs are the float model's: nil where the
	// layer is float, or reads something that has no partner.
	Alone *Error `json:"alone,omitempty"`
	// Accumulated is the error where everything before is quantized as well.
	Accumulated *Error `json:"accumulated"`
	// Causes is the error that the layer brings into itself and those that read
	// it, relative to each one's values, as an SQNR in decibels: what of Alone
	// comes from no rounded input, and what of the Alone of others goes away
	// where what it computes is not rounded. nil where that is nothing, or not
	// known.
	Causes *float64 `json:"causes_sqnr_db"`
	// Inputs are those that the layer reads rounded, the one that causes most of
	// Alone first.
	Inputs []Input `json:"inputs"`
}

// Result is what Run finds: layers in the order of the float model.
type Result struct {
	Samples int     `json:"samples"`
	Layers  []Layer `json:"layers"`
	// Unmatched are nodes of the float model whose values the quantized model
	// does not have, nor anything computed from them before the next match.
	Unmatched []string `json:"unmatched"`
}

// pairing is one layer while samples run.
type pairing struct {
	layer
	program            *runner  // of cut; nil for layers that are float
	names              []string // of its inputs, and what they are given
	fed                runtime.Tensors
	reader             *reader
	alone, accumulated meter
	part               meter // alone, over the first shareSamples
	relieved           []*relieved
	rescaled           bool
}

// Run compares the graphs, both prepared for running, over the samples. Of the
// values it keeps those of one sample.
func Run(ctx context.Context, float, quant *ir.Graph, samples iter.Seq2[runtime.Tensors, error], o Options) (*Result, error) {
	if n := quantizers(float); n > 0 {
		return nil, diag.Usagef("the float model is quantized itself (%d nodes quantize or dequantize)", n).Note("give the float model first, then the one that was made from it")
	}
	if quantizers(quant) == 0 {
		return nil, diag.Usagef("the second model holds no quantized values").Note("quantize the first one: octavo quantize")
	}
	m := newMatcher(float, quant)
	if err := m.belong(); err != nil {
		return nil, err
	}
	layers, lost := m.layers()
	var all []*pairing
	watchFloat, watchQuant := map[string]bool{}, map[string]bool{}
	for _, l := range layers {
		p := &pairing{layer: *l, reader: newReader(l.class)}
		if l.cut != nil && quantizers(l.cut) > 0 {
			program, err := runtime.Compile(l.cut, runtime.Options{Threads: 1})
			if err == nil {
				p.relieved, err = m.relieve(l)
			}
			p.program, p.names, p.fed = &runner{program: program}, slices.Sorted(maps.Keys(l.feeds)), runtime.Tensors{}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", l.main().Label(), err)
			}
			for _, name := range l.feeds {
				watchFloat[name] = true
			}
		}
		watchFloat[l.out.Name] = true
		watchQuant[l.class.watched().Name] = true
		all = append(all, p)
	}
	fp, err := runtime.Compile(float, runtime.Options{Threads: o.Threads, Keep: slices.Sorted(maps.Keys(watchFloat))})
	if err != nil {
		return nil, err
	}
	qp, err := runtime.Compile(quant, runtime.Options{Threads: o.Threads, Keep: slices.Sorted(maps.Keys(watchQuant))})
	if err != nil {
		return nil, err
	}
	floats, integers := kept{}, kept{}
	observe := func(n int, in runtime.Tensors) (values, rounded runtime.Tensors, err error) {
		values, rounded = runtime.Tensors{}, runtime.Tensors{}
		for _, r := range []struct {
			what    string
			program *runtime.Program
			to      runtime.Tensors
			memory  kept
		}{{"float model", fp, values, floats}, {"quantized model", qp, rounded, integers}} {
			if _, err := r.program.Observe(ctx, in, func(name string, t *tensor.Tensor) {
				r.memory.store(name, t)
				r.to[name] = r.memory[name]
			}); err != nil {
				return nil, nil, fmt.Errorf("%s: sample %d: %w", r.what, n, err)
			}
		}
		return values, rounded, nil
	}
	n := 0
	var scaled map[string]*scaling
	measure := func(in runtime.Tensors) error {
		values, rounded, err := observe(n, in)
		if err != nil {
			return err
		}
		for name, s := range scaled {
			if v := values[name]; v != nil && v.Rank() > s.axis && v.Shape()[s.axis] == len(s.factors) {
				values[name] = s.apply(v)
			}
		}
		if err := eachLayer(all, o.Threads, func(p *pairing) error { return p.sample(ctx, n, values, rounded) }); err != nil {
			return fmt.Errorf("sample %d: %w", n, err)
		}
		n++
		if o.Progress != nil {
			o.Progress(n)
		}
		return nil
	}
	// The first samples run twice: to find what is rescaled, and to be measured.
	var first []runtime.Tensors
	found := rescaled{}
	if !o.Rescaled {
		scaled = map[string]*scaling{}
	}
	begin := func() error {
		scaled = found.scalings(all)
		for _, in := range first {
			if err := measure(in); err != nil {
				return err
			}
		}
		first = nil
		return nil
	}
	for in, err := range samples {
		if err != nil {
			return nil, err
		}
		if scaled != nil {
			if err := measure(in); err != nil {
				return nil, err
			}
			continue
		}
		values, rounded, err := observe(len(first), in)
		if err == nil {
			err = found.add(all, values, rounded)
		}
		if err != nil {
			return nil, err
		}
		kept := runtime.Tensors{}
		for name, t := range in {
			kept[name] = t.Clone()
		}
		if first = append(first, kept); len(first) == scalingSamples {
			if err := begin(); err != nil {
				return nil, err
			}
		}
	}
	if scaled == nil {
		if err := begin(); err != nil {
			return nil, err
		}
	}
	if n == 0 {
		return nil, &diag.Error{Msg: "the data holds no samples"}
	}
	return result(all, lost, n), nil
}

// eachLayer calls f for each layer, as many at a time as there are threads, and
// returns the error of the first layer that has one.
func eachLayer(all []*pairing, threads int, f func(*pairing) error) error {
	if threads <= 0 {
		threads = goruntime.GOMAXPROCS(0)
	}
	errs := make([]error, len(all))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(threads, len(all)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(all); i = next.Add(1) - 1 {
				errs[i] = tensor.Guard(func() error { return f(all[i]) })
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("%s: %w", all[i].main().Label(), err)
		}
	}
	return nil
}

// sample takes in what sample n gives: the float model's values, and those of
// the quantized model, which may be integers. The layer's part of the quantized
// graph runs on the former.
func (p *pairing) sample(ctx context.Context, n int, values, rounded runtime.Tensors) error {
	want := values[p.out.Name]
	got, err := p.reader.floats(rounded[p.class.watched().Name])
	if err != nil {
		return err
	}
	if err := see(&p.accumulated, want, got); err != nil || p.program == nil {
		return err
	}
	for _, input := range p.names {
		if p.fed[input] = values[p.feeds[input]]; p.fed[input] == nil {
			return fmt.Errorf("the float model does not compute %q when it runs", p.feeds[input])
		}
	}
	alone, err := p.program.run(ctx, p.names, p.fed, p.class.seen.Name)
	if err != nil {
		return err
	}
	if err := see(&p.alone, want, alone); err != nil || n >= shareSamples {
		return err
	}
	p.part = p.alone
	return p.runRelieved(ctx, p.fed, want, n == shareSamples-1)
}

// see adds what one sample gives.
func see(e *meter, want, got *tensor.Tensor) error {
	if want == nil || got == nil {
		return fmt.Errorf("its value is not computed when the model runs")
	}
	if want.Type() != dtype.Float32 || got.Type() != dtype.Float32 || !slices.Equal(want.Shape(), got.Shape()) {
		return fmt.Errorf("the float model gives %v, the quantized one %v: the files do not belong together", want, got)
	}
	e.add(tensor.Data[float32](want), tensor.Data[float32](got))
	return nil
}

// belong returns an error where the quantized graph was not made from the float
// one.
func (m *matcher) belong() error {
	e := diag.Usagef("the two models do not belong together")
	for _, v := range m.float.Inputs {
		i := slices.IndexFunc(m.quant.Inputs, func(q *ir.Value) bool { return q.Name == v.Name })
		if i < 0 {
			return e.Note("the quantized model has no input %q", v.Name)
		}
		if q := m.quant.Inputs[i]; q.Type != v.Type {
			return e.Note("input %q is %v in the float model, %v in the quantized one", v.Name, v.Type, q.Type)
		}
	}
	if len(m.float.Inputs) != len(m.quant.Inputs) {
		return e.Note("the float model takes %d inputs, the quantized one %d", len(m.float.Inputs), len(m.quant.Inputs))
	}
	found := 0
	for _, n := range m.float.Nodes {
		if len(n.Out) > 0 && m.match[n.Out[0]] != nil {
			found++
		}
	}
	if found == 0 {
		return e.Note("of what the float model computes, nothing is found in the quantized one")
	}
	return nil
}

// quantizers counts the nodes that round or hold rounded numbers.
func quantizers(g *ir.Graph) int {
	count := 0
	for _, n := range g.Nodes {
		switch o := n.Op.(type) {
		case *op.QuantizeLinear, *op.DequantizeLinear:
			count++
		case *op.Cast:
			if n.Out[0] != nil && (n.Out[0].Type == dtype.Float16 || n.Out[0].Type == dtype.BFloat16) {
				count++
			}
		default:
			if integerOps[o.Name()] {
				count++
			}
		}
	}
	return count
}

// integerOps are the operators that compute on integers by themselves.
var integerOps = map[string]bool{
	"DynamicQuantizeLinear": true, "DynamicQuantize": true, "ConvInteger": true, "MatMulInteger": true, "MatMulNBits": true,
	"DynamicQuantizeLSTM": true, "DynamicQuantizeMatMul": true, "MatMulIntegerToFloat": true,
}

func result(all []*pairing, lost []*ir.Node, samples int) *Result {
	r := &Result{Samples: samples, Layers: []Layer{}, Unmatched: []string{}}
	for _, p := range all {
		n := p.main()
		l := Layer{Node: name(n), Op: n.Op.Name(), Value: p.out.Name, Nodes: len(p.float), Precision: p.precision(), Rescaled: p.rescaled, Accumulated: p.accumulated.figures(), Inputs: p.inputs()}
		if p.program != nil {
			l.Alone = p.alone.figures()
		}
		r.Layers = append(r.Layers, l)
	}
	for i, c := range causes(all) {
		if c > 0 {
			r.Layers[i].Causes = finite(float64(metric.Decibels(1 / c)))
		}
	}
	for _, n := range lost {
		r.Unmatched = append(r.Unmatched, name(n))
	}
	return r
}

// name is what --keep and its like call a node.
func name(n *ir.Node) string {
	if n.Name != "" {
		return n.Name
	}
	return n.Out[0].Name
}

func finite(v float64) *float64 {
	if v-v != 0 {
		return nil
	}
	return &v
}
