package octavo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/quant/calibrate"
	"github.com/octavo-ml/octavo/internal/quant/observe"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// RangesSchema names the form of range files.
const RangesSchema = "octavo.ranges/1"

// Ranges are what calibration chose for the activations of one model: with them
// the model is quantized again, to the same bytes, without the data.
type Ranges struct {
	Schema string `json:"schema"`
	// Model is the digest of the prepared graph with its constants.
	Model string `json:"model"`
	// Samples is how many were seen; Asked and Observer are what the recipe
	// said of samples and of the range method, "" and 0 where it said nothing.
	Samples  int    `json:"samples"`
	Asked    int    `json:"samples_asked,omitempty"`
	Observer string `json:"observer,omitempty"`
	// Preprocess says how pictures became inputs, in the form of the model's
	// metadata; "" where there were none.
	Preprocess string `json:"preprocess,omitempty"`
	// Calibration is the mark of random samples, and Seed theirs.
	Calibration string       `json:"calibration,omitempty"`
	Seed        uint64       `json:"seed,omitempty"`
	Values      []ValueRange `json:"values"`
}

// ValueRange is the range chosen for one value in one scheme, before limits
// that follow from the graph.
type ValueRange struct {
	Value     string  `json:"value"`
	Type      string  `json:"type"`
	Symmetric bool    `json:"symmetric,omitempty"`
	Lo        float64 `json:"lo"`
	Hi        float64 `json:"hi"`
}

// maxRangesFile bounds a file of ranges: some hundred bytes a value.
const maxRangesFile = 256 << 20

// ReadRanges reads a file of ranges.
func ReadRanges(path string) (*Ranges, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxRangesFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxRangesFile {
		return nil, &diag.FormatError{Where: path, Msg: fmt.Sprintf("more than %d bytes", maxRangesFile)}
	}
	r, err := ParseRanges(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// ParseRanges decodes a file of ranges strictly.
func ParseRanges(b []byte) (*Ranges, error) {
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, &diag.Error{Kind: diag.Usage, Msg: "ranges: " + err.Error(), Notes: []string{"octavo quantize --save-ranges FILE writes one"}}
	}
	if head.Schema != RangesSchema {
		return nil, &diag.Error{Kind: diag.Usage, Msg: fmt.Sprintf("ranges: schema %q is not known; this release reads %s", head.Schema, RangesSchema)}
	}
	var r Ranges
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return nil, &diag.Error{Kind: diag.Usage, Msg: "ranges: " + err.Error()}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, diag.Usagef("ranges: text follows the object")
	}
	for _, v := range r.Values {
		if t, err := dtype.Parse(v.Type); err != nil || !t.IsInteger() {
			return nil, diag.Usagef("ranges: value %q: %q is no integer type", v.Value, v.Type)
		}
		if !(v.Lo <= v.Hi) || math.IsInf(v.Lo, 0) || math.IsInf(v.Hi, 0) {
			return nil, diag.Usagef("ranges: value %q: %v to %v is no range", v.Value, v.Lo, v.Hi)
		}
	}
	return &r, nil
}

// Write writes the file form.
func (r *Ranges) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// Ranges returns what calibration chose for a model that Quantize made, nil
// for others.
func (m *Model) Ranges() *Ranges {
	if m.Report == nil {
		return nil
	}
	r := m.Report.ranges
	if r.Model == "" && m.Report.source != nil {
		// Reading all weights takes long, and few ask. A file that became shorter
		// meanwhile has no digest: the ranges fit no model then.
		r.Model, _ = digest(m.Report.source)
	}
	r.Preprocess, r.Calibration = m.graph.Meta[metaPreprocess], m.graph.Meta[calibrationKey]
	return &r
}

// mark records in q what the run that saved r recorded of its data.
func (r *Ranges) mark(q *Model) {
	for key, text := range map[string]string{metaPreprocess: r.Preprocess, calibrationKey: r.Calibration} {
		if text != "" {
			q.graph.Meta[key] = text
		}
	}
	q.Warnings = append(q.Warnings, calibrationWarnings(q)...)
}

// WithRanges quantizes with ranges that were saved, instead of samples. What
// the recipe says of samples and observer is taken from r.
func WithRanges(r *Ranges) Option { return func(o *options) { o.ranges = r } }

// rangesOf notes the ranges of a plan.
func rangesOf(digest string, plan *quant.Plan, samples int, r *Recipe) Ranges {
	out := Ranges{Schema: RangesSchema, Model: digest, Samples: samples, Asked: r.Data.Samples, Seed: r.Data.Seed, Observer: r.Activations.Observer, Values: []ValueRange{}}
	for _, c := range plan.Chosen {
		out.Values = append(out.Values, ValueRange{c.Value, c.Want.Type.String(), c.Want.Symmetric, c.Lo, c.Hi})
	}
	return out
}

// statistics stand for those of calibration.
func (r *Ranges) statistics(digest string, p *quant.Placement) (*calibrate.Result, error) {
	by := map[string]map[observe.Want]observe.Range{}
	var names []string
	for _, v := range r.Values {
		if by[v.Value] == nil {
			by[v.Value] = map[observe.Want]observe.Range{}
			names = append(names, v.Value)
		}
		t, err := dtype.Parse(v.Type)
		if err != nil {
			return nil, err // ParseRanges has checked it; Ranges may be made by hand
		}
		by[v.Value][observe.Want{Type: t, Symmetric: v.Symmetric}] = observe.Range{Lo: v.Lo, Hi: v.Hi}
	}
	out := &calibrate.Result{Stats: map[string]*observe.Stats{}, Samples: r.Samples}
	var missing []string
	for _, name := range p.Watched() {
		if by[name] == nil {
			missing = append(missing, name)
			continue
		}
		out.Stats[name] = observe.Chosen(by[name])
	}
	if len(missing) == 0 && digest == r.Model {
		return out, nil
	}
	e := diag.Usagef("the ranges are of another model or recipe")
	if digest != r.Model {
		e.Note("they were made from a graph with other nodes or weights")
	}
	for i, name := range missing {
		if i == 3 {
			e.Note("and %d more", len(missing)-i)
			break
		}
		note := fmt.Sprintf("value %q has no range", name)
		if near := diag.Nearest(name, names); len(near) > 0 {
			note += fmt.Sprintf("; there is one for %q", near[0])
		}
		e.Note("%s", note)
	}
	return nil, e.Note("give --data, and --save-ranges to write new ones")
}

// digest identifies a prepared graph: its nodes, the names and shapes of its
// values, and its constants.
func digest(g *ir.Graph) (string, error) {
	h := sha256.New()
	err := tensor.Guard(func() error {
		for _, in := range g.Inputs {
			fmt.Fprintf(h, "input %q %v%v\n", in.Name, in.Type, in.Shape)
		}
		seen := map[*ir.Value]bool{}
		for _, n := range g.Nodes {
			fmt.Fprintf(h, "node %q\n", n.Op.Name())
			for _, a := range op.Attrs(n.Op) {
				if t, ok := a.Value.(*tensor.Tensor); ok {
					fmt.Fprintf(h, "%s %s\n", a.Name, ir.TensorText(t))
				} else {
					fmt.Fprintf(h, "%s %v\n", a.Name, a.Value)
				}
			}
			for _, v := range slices.Concat(n.In, n.Out) {
				if v == nil {
					fmt.Fprintln(h, "none")
					continue
				}
				fmt.Fprintf(h, "%q\n", v.Name)
				if v.Const == nil || seen[v] {
					continue
				}
				seen[v] = true
				fmt.Fprintf(h, "constant %v%v\n", v.Const.Type(), v.Const.Shape())
				if v.Const.Type() == dtype.String {
					fmt.Fprintf(h, "%q\n", v.Const.Strings())
					continue
				}
				h.Write(v.Const.Bytes())
				v.Const.Release()
			}
		}
		for _, out := range g.Outputs {
			fmt.Fprintf(h, "output %q\n", out.Name)
		}
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), err
}
