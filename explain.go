package octavo

import (
	"cmp"
	"context"
	"encoding/csv"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/pass"
	reports "github.com/octavo-ml/octavo/internal/report"
	engine "github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/validate/explain"
)

// DefaultExplainSamples is how many samples Explain uses unless it is told.
const DefaultExplainSamples = 64

// explainOrders are the words for ExplainOptions.Sort.
var explainOrders = diag.Words{Known: []string{"cause", "alone", "accumulated", "order"}}

// Explanation says which layers the error of a quantized model comes from.
type Explanation struct {
	Schema    string `json:"schema"`
	Float     string `json:"float"`
	Quantized string `json:"quantized"`
	explain.Result
}

// ExplainOptions changes how layers are compared.
type ExplainOptions struct {
	// Samples is how many to use, spread evenly; 0 is all.
	Samples int
	Threads int
	// Sort is "cause", "alone" or "accumulated", the worst layer first, or
	// "order", that of the float model; "" is cause.
	Sort string
	// Top is how many layers are left in the result after sorting; 0 is all.
	Top      int
	Progress func(done int)
}

// Explain runs both models over the samples of d and returns for each layer the
// error that its quantization causes alone, its inputs being the float model's,
// and the error that has accumulated up to it. The error of a layer is that of
// what the layers behind it see, so that rounding its output counts. Beside
// these stands what a layer causes: a layer whose output is hard to round may
// lose little of its own, and those that read it much.
//
// Values are matched by their names, and where these are gone by their place
// where that is unambiguous. Two models of which nothing matches, or of which
// the second holds nothing quantized, are a usage error.
func Explain(ctx context.Context, float, quantized *Model, d *Dataset, o ExplainOptions) (*Explanation, error) {
	if o.Sort == "" {
		o.Sort = "cause"
	}
	if err := explainOrders.Check("sort", o.Sort); err != nil {
		return nil, err
	}
	if o.Top < 0 {
		return nil, diag.Usagef("top %d: want a number from 0 up", o.Top)
	}
	a, err := float.like(d.model)
	if err != nil {
		return nil, err
	}
	b, err := quantized.like(a)
	if err != nil {
		return nil, err
	}
	fg, err := a.prepare(false)
	if err != nil {
		return nil, err
	}
	qg, err := b.prepare(false)
	if err != nil {
		return nil, err
	}
	if a.format.Form.ChannelsLast != b.format.Form.ChannelsLast {
		if fg, qg, err = channelsFirst(fg, qg); err != nil {
			return nil, err
		}
	}
	e := &Explanation{Schema: "octavo.explain/1", Float: float.Path, Quantized: quantized.Path}
	err = tensor.Guard(func() error {
		r, err := explain.Run(ctx, fg, qg, d.explained(o.Samples), explain.Options{Threads: o.Threads, Rescaled: rescales(qg), Progress: o.Progress})
		if err == nil {
			e.Result = *r
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	e.sort(o.Sort)
	if o.Top > 0 && len(e.Layers) > o.Top {
		e.Layers = e.Layers[:o.Top]
	}
	return e, nil
}

// channelsFirst returns copies of graphs with their spatial operators
// channels-first, so that what they compute can be compared.
func channelsFirst(a, b *ir.Graph) (*ir.Graph, *ir.Graph, error) {
	a, _ = a.Clone()
	b, _ = b.Clone()
	err := tensor.Guard(func() error {
		if err := pass.LowerLayout(a); err != nil {
			return err
		}
		return pass.LowerLayout(b)
	})
	return a, b, err
}

// explained yields n samples whose values are finite.
func (d *Dataset) explained(n int) iter.Seq2[engine.Tensors, error] {
	return func(yield func(engine.Tensors, error) bool) {
		for r, err := range d.samples(n) {
			if err == nil {
				err = finite(r.Index, r.Inputs)
			}
			if !yield(engine.Tensors(r.Inputs), err) || err != nil {
				return
			}
		}
	}
}

func (e *Explanation) sort(by string) {
	key := func(l explain.Layer) float64 {
		var x *float64
		switch {
		case by == "cause":
			x = l.Causes
		case by == "alone" && l.Alone == nil:
			return math.Inf(1)
		case by == "alone":
			x = l.Alone.SQNR
		default:
			x = l.Accumulated.SQNR
		}
		if x == nil {
			return math.MaxFloat64
		}
		return *x
	}
	if by != "order" {
		slices.SortStableFunc(e.Layers, func(a, b explain.Layer) int { return cmp.Compare(key(a), key(b)) })
	}
}

// WriteText writes the layers as a table for people.
func (e *Explanation) WriteText(w io.Writer) error { return reports.Layers(w, &e.Result) }

// WriteCSV writes the layers as .csv, a line each.
func (e *Explanation) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"node", "operator", "value", "nodes", "precision", "alone_sqnr_db", "alone_cosine", "alone_max_error", "accumulated_sqnr_db", "accumulated_cosine", "accumulated_max_error", "causes_sqnr_db"}}
	number := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'g', -1, 64)
	}
	for _, l := range e.Layers {
		row := []string{l.Node, l.Op, l.Value, strconv.Itoa(l.Nodes), l.Precision}
		for _, x := range []*explain.Error{l.Alone, l.Accumulated} {
			if x == nil {
				x = &explain.Error{}
			}
			row = append(row, number(x.SQNR), number(x.Cosine), number(x.Max))
		}
		rows = append(rows, append(row, number(l.Causes)))
	}
	return c.WriteAll(rows)
}

// Worst names the layer whose own error is the largest, "" if all are exact.
func (e *Explanation) Worst() string {
	worst, name := math.Inf(1), ""
	for _, l := range e.Layers {
		if l.Alone != nil && l.Alone.SQNR != nil && *l.Alone.SQNR < worst {
			worst, name = *l.Alone.SQNR, l.Node
		}
	}
	return name
}
