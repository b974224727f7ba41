package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
)

// jsonl adds the samples of a text with a JSON value a line: an object with
// nested lists of numbers by the names of the inputs, and maybe "label" or
// "labels"; or, for a single input, the lists themselves.
func (o *opener) jsonl(p Path, text []byte) error {
	text = bytes.TrimPrefix(text, utf8Mark)
	var entries labelEntries
	var seen []*Input // the inputs that the first line names
	bare := false     // lines are the value of the only input
	first := true
	index, err := newRecordIndex(p.Path, text, 0, lineRecord, func(line int, record []byte) error {
		if first {
			first = false
			var err error
			if seen, bare, err = o.jsonlInputs(p, record); err != nil {
				return err
			}
		}
		if bare {
			return nil
		}
		fields, err := jsonObject(record)
		if err != nil {
			return err
		}
		for _, in := range seen {
			if fields[in.Name] == nil {
				return diag.Usagef("the line has no %q", in.Name)
			}
		}
		return entries.addJSON(line, fields, seen)
	})
	if err != nil {
		return err
	}
	if first {
		return &diag.Error{Msg: p.Path + ": the file holds no samples"}
	}
	for _, in := range seen {
		r := &textRows{in: *in, pad: o.pad(in.Name), index: index, batch: 1}
		r.value = func(record []byte) ([]byte, error) { return jsonField(record, in.Name) }
		if bare {
			r.value = func(record []byte) ([]byte, error) { return record, nil }
		}
		if err := r.rankOfFirst(); err != nil {
			return err
		}
		if err := o.addText(r); err != nil {
			return err
		}
	}
	return o.addEntries(p.Path, entries)
}

// jsonlInputs says which inputs a line is for.
func (o *opener) jsonlInputs(p Path, record []byte) (seen []*Input, bare bool, err error) {
	if t := bytes.TrimSpace(record); len(t) > 0 && t[0] != '{' {
		name := p.Name
		if name == "" {
			if name, err = o.onlyInput(p.Path); err != nil {
				return nil, false, err
			}
		}
		in, err := o.input(p.Path, name)
		return []*Input{in}, true, err
	}
	fields, err := jsonObject(record)
	if err != nil {
		return nil, false, err
	}
	if seen, err = o.namedInputs(p, slices.Sorted(maps.Keys(fields)), func(name string) bool { return fields[name] != nil }); err != nil {
		return nil, false, err
	}
	return seen, false, nil
}

func jsonObject(record []byte) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(record, &fields); err != nil {
		var te *json.UnmarshalTypeError
		if errors.As(err, &te) {
			return nil, fmt.Errorf("a %s where an object should stand", te.Value)
		}
		return nil, fmt.Errorf("no JSON: %w", err)
	}
	return fields, nil
}

func jsonField(record []byte, name string) ([]byte, error) {
	fields, err := jsonObject(record)
	if err != nil {
		return nil, err
	}
	return fields[name], nil
}

// rankOfFirst decides by the first record whether records are samples or rows
// of the model's batch.
func (r *textRows) rankOfFirst() error {
	return r.index.records(0, 1, func(_ int, record []byte) error {
		v, err := r.value(record)
		if err != nil {
			return err
		}
		l, err := measure(v)
		if err != nil {
			return fmt.Errorf("input %q: %w", r.in.Name, err)
		}
		switch rank := len(r.in.Shape); len(l.dims) {
		case rank:
		case rank - 1:
			r.row, r.batch = true, max(r.in.Shape[0], 1)
		default:
			return diag.Usagef("a value of shape %v does not fit input %q of shape %s", l.dims, r.in.Name, shapeText(r.in.Shape)).
				Note("a line holds a sample, or a row of the model's batch")
		}
		return nil
	})
}

// addText appends the samples of r to the column of its input.
func (o *opener) addText(r *textRows) error {
	n := r.index.n / r.batch
	if rest := r.index.n % r.batch; rest > 0 {
		o.warn(leftOver(r.index.where, rest, r.batch))
	}
	return o.append(r.in.Name, part{source: r, n: n})
}

// namedInputs returns the inputs that a file holds, of the names in it: that
// of p where p has one, else all that has says yes to. A single name that is
// no label stands for the only input.
func (o *opener) namedInputs(p Path, names []string, has func(string) bool) ([]*Input, error) {
	if p.Name != "" {
		in, err := o.input(p.Path, p.Name)
		if err != nil {
			return nil, err
		}
		if !has(p.Name) {
			return nil, diag.Usagef("nothing is named %q", p.Name).Note("the file holds: %s", strings.Join(names, ", "))
		}
		return []*Input{in}, nil
	}
	var seen []*Input
	for i := range o.d.columns {
		if c := &o.d.columns[i]; c.fill == nil && has(c.in.Name) {
			seen = append(seen, &c.in)
		}
	}
	if len(seen) == 0 {
		return nil, diag.Usagef("nothing is named as an input of the model").
			Note("the file holds: %s", strings.Join(names, ", ")).Note("inputs: %s", strings.Join(inputNames(o.d.spec), ", "))
	}
	return seen, nil
}
