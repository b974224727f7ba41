package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// labelEntry is a label as a text holds it.
type labelEntry struct {
	line int // counted from 1
	text string
	row  []float32 // instead of text: several numbers
	file string    // that the label is for; "": the next sample
}

type labelEntries []labelEntry

// addJSON adds the label of an object, if it has one under a known key that
// is no input.
func (e *labelEntries) addJSON(line int, fields map[string]json.RawMessage, inputs []*Input) error {
	for _, name := range labelNames {
		v, ok := fields[name]
		if !ok || slices.ContainsFunc(inputs, func(in *Input) bool { return in.Name == name }) {
			continue
		}
		entry := labelEntry{line: line}
		switch v[0] {
		case '"':
			if err := json.Unmarshal(v, &entry.text); err != nil {
				return err
			}
		case '[':
			t, err := parseLists(v, dtype.Float32, nil, nil)
			if err != nil {
				return fmt.Errorf("%q: %w", name, err)
			}
			entry.row = tensor.Data[float32](t)
		case '{', 'n':
			return fmt.Errorf("%q holds no label", name)
		default:
			entry.text = string(v)
		}
		*e = append(*e, entry)
		return nil
	}
	return nil
}

// addFields adds the label in some columns of a record.
func (e *labelEntries) addFields(line int, fields [][]byte, columns []int) error {
	if len(columns) == 0 {
		return nil
	}
	entry := labelEntry{line: line}
	for _, c := range columns {
		if c >= len(fields) {
			return errors.New("the record has no label")
		}
		if len(columns) == 1 {
			entry.text = string(fields[c])
			break
		}
		v, ok := real(string(fields[c]))
		if !ok {
			return fmt.Errorf("label %q is no number", clip(fields[c]))
		}
		entry.row = append(entry.row, v)
	}
	*e = append(*e, entry)
	return nil
}

// real reads a finite number.
func real(s string) (float32, bool) {
	v, err := strconv.ParseFloat(s, 32)
	return float32(v), err == nil && !math.IsInf(v, 0) && !math.IsNaN(v)
}

// labels makes classes of entries that are names of classes or whole numbers,
// and targets of those that are floats.
func (e labelEntries) labels(where string, names []string) (labels, error) {
	if len(names) > 0 {
		byName := map[string]int{}
		for i, n := range names {
			byName[n] = i
		}
		l := labels{named: true}
		for _, entry := range e {
			if c, ok := byName[entry.text]; ok && entry.row == nil {
				l.classes = append(l.classes, int64(c))
			}
		}
		if len(l.classes) == len(e) {
			return l, nil
		}
	}
	var l labels
	for i, entry := range e {
		n, err := strconv.ParseInt(entry.text, 10, 64)
		if err != nil || entry.row != nil {
			return e.targets(where, names, i)
		}
		l.classes = append(l.classes, n)
	}
	return l, nil
}

// targets makes rows of numbers of the entries, of which number bad is no
// whole number.
func (e labelEntries) targets(where string, names []string, bad int) (labels, error) {
	l := labels{real: where + ": labels are floats"}
	for _, entry := range e {
		row := entry.row
		if row == nil {
			v, ok := real(entry.text)
			if !ok {
				return labels{}, e.noClass(where, names, bad)
			}
			row = []float32{v}
		}
		if n := len(l.targets); n > 0 && len(l.targets[n-1]) != len(row) {
			return labels{}, diag.Usagef("%s:%d: a label of %d numbers, and %d in the line before", where, entry.line, len(row), len(l.targets[n-1]))
		}
		l.targets = append(l.targets, row)
	}
	return l, nil
}

// noClass is the error of entries that are neither numbers nor names.
func (e labelEntries) noClass(where string, names []string, bad int) error {
	for i := bad; i < len(e); i++ {
		if _, ok := real(e[i].text); !ok && e[i].row == nil && !slices.Contains(names, e[i].text) {
			bad = i
			break
		}
	}
	err := diag.Usagef("%s:%d: %q is no class index", where, e[bad].line, clip([]byte(e[bad].text)))
	if len(names) == 0 {
		return err.Note("--class-names FILE names the classes, one a line")
	}
	return err.Suggest(e[bad].text, names, "").Note("nor is it one of the %d names of --class-names", len(names))
}
