package op

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/tensor"
)

// Scan runs its body over the slices of its last ScanInputs inputs. The inputs
// before them are states: the body takes the states and a slice of each scanned
// input, and gives the next states and slices of the scanned outputs.
type Scan struct {
	ScanInputs       int   `attr:"num_scan_inputs,required"`
	InputAxes        []int `attr:"scan_input_axes"`
	InputDirections  []int `attr:"scan_input_directions"` // 1: from the end
	OutputAxes       []int `attr:"scan_output_axes"`
	OutputDirections []int `attr:"scan_output_directions"` // 1: to the front
}

// Name returns "Scan".
func (o *Scan) Name() string { return "Scan" }

// BodyNames returns the body.
func (o *Scan) BodyNames() []string { return []string{"body"} }

// Infer knows nothing without the body.
func (o *Scan) Infer(_ []Fact, outs int) ([]Fact, error) { return make([]Fact, outs), nil }

// states returns how many states there are, checking the body's signature and
// the attributes.
func (o *Scan) states(in int, b Bodies) (int, error) {
	if err := b.check(o, in); err != nil {
		return 0, err
	}
	if o.ScanInputs < 1 || o.ScanInputs > in-b.Captured {
		return 0, fmt.Errorf("num_scan_inputs %d of %d inputs", o.ScanInputs, in-b.Captured)
	}
	n := in - b.Captured - o.ScanInputs
	body := b.List[0]
	if len(body.In) != in {
		return 0, fmt.Errorf("the body has %d inputs, want %d", len(body.In)-b.Captured, in-b.Captured)
	}
	if len(body.Out) < n {
		return 0, fmt.Errorf("the body has %d outputs, want at least %d", len(body.Out), n)
	}
	for _, l := range []struct {
		list []int
		name string
		n    int
	}{
		{o.InputAxes, "scan_input_axes", o.ScanInputs}, {o.InputDirections, "scan_input_directions", o.ScanInputs},
		{o.OutputAxes, "scan_output_axes", len(body.Out) - n}, {o.OutputDirections, "scan_output_directions", len(body.Out) - n},
	} {
		if len(l.list) != 0 && len(l.list) != l.n {
			return 0, fmt.Errorf("%s has %d elements, want %d", l.name, len(l.list), l.n)
		}
	}
	return n, nil
}

// InferBodies finds the shapes of the states that hold for every slice.
func (o *Scan) InferBodies(in []Fact, outs int, b Bodies) ([]Fact, error) {
	n, err := o.states(len(in), b)
	if err != nil {
		return nil, err
	}
	if outs > len(b.List[0].Out) {
		return nil, fmt.Errorf("%d outputs, and the body gives %d", outs, len(b.List[0].Out))
	}
	length := Unknown
	slices := make([]Fact, o.ScanInputs)
	for k := range slices {
		f := in[n+k]
		slices[k] = TensorFact(f.Type, nil)
		if f.Shape == nil {
			continue
		}
		axis, err := Axis(input(o.InputAxes, k), len(f.Shape))
		if err != nil {
			return nil, fmt.Errorf("scanned input %d: %w", k, err)
		}
		both, err := Merge(Shape{length}, Shape{f.Shape[axis]})
		if err != nil {
			return nil, fmt.Errorf("scanned inputs have %v and %v slices", length, f.Shape[axis])
		}
		length = both[0]
		slices[k].Shape = append(f.Shape[:axis:axis], f.Shape[axis+1:]...)
	}
	states, scanned, err := b.invariant(in[:n], func(cur []Fact) ([]Fact, []Fact, error) {
		facts := append(append(append([]Fact{}, cur...), slices...), in[n+o.ScanInputs:]...)
		out, err := b.List[0].Infer(facts)
		if err != nil {
			return nil, nil, err
		}
		return out[:n], out[n:], nil
	})
	if err != nil {
		return nil, err
	}
	scanned = stackedFacts(scanned, length)
	for k := range scanned {
		s := scanned[k].Shape
		if s == nil {
			continue
		}
		axis, err := Axis(input(o.OutputAxes, k), len(s))
		if err != nil {
			return nil, fmt.Errorf("scanned output %d: %w", k, err)
		}
		copy(s, s[1:axis+1])
		s[axis] = length
	}
	return append(states, scanned...), nil
}

// EvalBodies runs the body slice by slice.
func (o *Scan) EvalBodies(in []Datum, b Bodies) ([]Datum, error) {
	n, err := o.states(len(in), b)
	if err != nil {
		return nil, err
	}
	scans := make([]*tensor.Tensor, o.ScanInputs)
	length := -1
	for k := range scans {
		t := in[n+k].Tensor
		if t == nil {
			return nil, fmt.Errorf("scanned input %d is no tensor", k)
		}
		axis, err := Axis(input(o.InputAxes, k), t.Rank())
		if err != nil {
			return nil, fmt.Errorf("scanned input %d: %w", k, err)
		}
		if l := t.Shape()[axis]; length >= 0 && l != length {
			return nil, fmt.Errorf("scanned inputs have %d and %d slices", length, l)
		}
		length = t.Shape()[axis]
		if scans[k], err = moveAxis(t, axis, 0); err != nil {
			return nil, err
		}
	}
	body := b.List[0]
	args := slices.Clone(in)
	g := newGathered(body.Out[n:])
	for i := range length {
		if err := b.Budget.trip(); err != nil {
			return nil, err
		}
		for k, t := range scans {
			at := i
			if input(o.InputDirections, k) == 1 {
				at = length - 1 - i
			}
			one, err := t.Slice(at, at+1).Reshape(t.Shape()[1:]...)
			if err != nil {
				return nil, err
			}
			args[n+k] = Datum{Tensor: one}
		}
		out, err := body.Run(args)
		if err != nil {
			return nil, fmt.Errorf("slice %d: %w", i, err)
		}
		copy(args[:n], out[:n])
		if err := g.add(out[n:], args[:n]); err != nil {
			return nil, fmt.Errorf("slice %d: %w", i, err)
		}
	}
	for k := range g.lists {
		if input(o.OutputDirections, k) == 1 {
			slices.Reverse(g.lists[k])
		}
	}
	out, err := g.done(args[:n])
	if err != nil {
		return nil, err
	}
	for k := range out[n:] {
		t := out[n+k].Tensor
		axis, err := Axis(input(o.OutputAxes, k), t.Rank())
		if err != nil {
			return nil, fmt.Errorf("scanned output %d: %w", k, err)
		}
		if out[n+k].Tensor, err = moveAxis(t, 0, axis); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// moveAxis moves one axis of t to another place.
func moveAxis(t *tensor.Tensor, from, to int) (*tensor.Tensor, error) {
	if from == to {
		return t, nil
	}
	perm := make([]int, 0, t.Rank())
	for i := range t.Rank() {
		if i != from {
			perm = append(perm, i)
		}
	}
	tr := New[Transpose]()
	tr.Perm = slices.Insert(perm, to, from)
	out, err := tr.Eval(Of(t))
	if err != nil {
		return nil, err
	}
	return out[0].Tensor, nil
}
