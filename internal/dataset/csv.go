package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
)

var utf8Mark = []byte("\xef\xbb\xbf")

// csvField returns the field that text begins with, quotes and line end not
// included, and its length up to the comma or line end after it.
func csvField(text []byte) (field []byte, size int, err error) {
	if len(text) == 0 || text[0] != '"' {
		size = bytes.IndexAny(text, ",\n")
		if size < 0 {
			size = len(text)
		}
		field = bytes.TrimSuffix(text[:size], []byte("\r"))
		if bytes.IndexByte(field, '"') >= 0 {
			return nil, 0, errors.New("a quote inside a field that does not begin with one")
		}
		return field, size, nil
	}
	doubled := false
	for i := 1; i < len(text); i++ {
		if text[i] != '"' {
			continue
		}
		if i+1 < len(text) && text[i+1] == '"' {
			doubled = true
			i++
			continue
		}
		field, size = text[1:i], i+1
		if rest := text[size:]; len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n' {
			size++
		}
		if size < len(text) && text[size] != ',' && text[size] != '\n' {
			return nil, 0, errors.New("text follows the closing quote of a field")
		}
		if doubled {
			field = bytes.ReplaceAll(field, []byte(`""`), []byte(`"`))
		}
		return field, size, nil
	}
	return nil, 0, errors.New("a quoted field is not closed")
}

// csvRecord is the next function of .csv: quoted fields may hold line ends.
func csvRecord(text []byte) ([]byte, int, int, error) {
	for at := 0; ; at++ { // over the comma
		_, size, err := csvField(text[at:])
		if err != nil {
			return nil, 0, 0, err
		}
		if at += size; at < len(text) && text[at] == ',' {
			continue
		}
		record := text[:at]
		if at < len(text) {
			at++
		}
		return record, at, max(bytes.Count(text[:at], []byte("\n")), 1), nil
	}
}

// csvFields splits a record.
func csvFields(record []byte) ([][]byte, error) {
	var out [][]byte
	for at := 0; ; at++ {
		field, size, err := csvField(record[at:])
		if err != nil {
			return nil, err
		}
		out = append(out, bytes.TrimSpace(field))
		if at += size; at >= len(record) {
			return out, nil
		}
	}
}

// header is the first record of a .csv file.
type header struct {
	names []string
	none  bool // there is none: the first record holds numbers
}

func csvHeader(record []byte) (header, error) {
	fields, err := csvFields(record)
	if err != nil {
		return header{}, err
	}
	h := header{none: true}
	for _, f := range fields {
		if _, err := strconv.ParseFloat(string(f), 64); err != nil && len(f) > 0 {
			h.none = false
		}
		h.names = append(h.names, string(f))
	}
	if h.none {
		return h, nil
	}
	for i, n := range h.names {
		if slices.Contains(h.names[:i], n) {
			return h, diag.Usagef("two columns are named %q", n)
		}
	}
	return h, nil
}

// element takes "name_3" and "name[3]" apart.
func element(column string) (name string, i int, ok bool) {
	digits := strings.TrimSuffix(column, "]")
	cut := strings.LastIndexByte(digits, '_')
	if digits != column {
		cut = strings.LastIndexByte(digits, '[')
	}
	if cut <= 0 {
		return "", 0, false
	}
	i, err := strconv.Atoi(digits[cut+1:])
	return digits[:cut], i, err == nil && i >= 0 && strconv.Itoa(i) == digits[cut+1:]
}

// columns returns the columns of the elements of name, in their order: the one
// of that name, or those with an index, which count from 0 without gaps.
func (h header) columns(name string) ([]int, error) {
	if i := slices.Index(h.names, name); i >= 0 {
		return []int{i}, nil
	}
	var out []int
	found := 0
	for c, n := range h.names {
		base, i, ok := element(n)
		if !ok || base != name {
			continue
		}
		if i >= len(h.names) {
			return nil, diag.Usagef("column %q, and there are %d columns", n, len(h.names))
		}
		for len(out) <= i {
			out = append(out, -1)
		}
		if out[i] >= 0 {
			return nil, diag.Usagef("columns %q and %q are the same element", h.names[out[i]], n)
		}
		out[i] = c
		found++
	}
	if found < len(out) {
		return nil, diag.Usagef("columns of %q: element %d is missing", name, slices.Index(out, -1))
	}
	return out, nil
}

// labelColumns returns the columns of the labels.
func (h header) labelColumns() ([]int, error) {
	lower := header{}
	for _, n := range h.names {
		lower.names = append(lower.names, strings.ToLower(n))
	}
	for _, n := range labelNames {
		if c, err := lower.columns(n); len(c) > 0 || err != nil {
			return c, err
		}
	}
	return nil, nil
}

// csv adds the samples of a text with a record a line. Columns are elements of
// inputs, by name, or all of them but the labels' make the only input.
func (o *opener) csv(p Path, text []byte) error {
	text = bytes.TrimPrefix(text, utf8Mark)
	first, size, _, err := csvRecord(text)
	if err != nil {
		return &diag.FormatError{Where: p.Path + ":1", Msg: err.Error()}
	}
	h, err := csvHeader(first)
	if err != nil {
		return fmt.Errorf("%s:1: %w", p.Path, err)
	}
	if h.none {
		size = 0
	}
	groups, labels, err := o.csvGroups(p, h)
	if err != nil {
		return err
	}
	var entries labelEntries
	index, err := newRecordIndex(p.Path, text, size, csvRecord, func(line int, record []byte) error {
		fields, err := csvFields(record)
		if err != nil {
			return err
		}
		if n := len(fields); n > len(h.names) || n < len(h.names) && !o.padded(groups) {
			return diag.Usagef("%d fields, and %d in the first line", n, len(h.names)).Note("--pad NAME=VALUE fills short rows")
		}
		return entries.addFields(line, fields, labels)
	})
	if err != nil {
		return err
	}
	if index.n == 0 {
		return &diag.Error{Msg: p.Path + ": the file holds no samples"}
	}
	for _, g := range groups {
		r := &textRows{in: *g.in, pad: o.pad(g.in.Name), index: index, batch: 1, flat: true}
		if err := r.rankOfColumns(len(g.columns)); err != nil {
			return fmt.Errorf("%s: %w", p.Path, err)
		}
		r.value = func(record []byte) ([]byte, error) { return g.value(record, r.pad) }
		if err := o.addText(r); err != nil {
			return err
		}
	}
	return o.addEntries(p.Path, entries)
}

// group is the columns of one input.
type group struct {
	in      *Input
	columns []int
}

// csvGroups says which columns are for which input, and which hold labels.
func (o *opener) csvGroups(p Path, h header) (groups []group, labels []int, err error) {
	if !h.none {
		if labels, err = h.labelColumns(); err != nil {
			return nil, nil, fmt.Errorf("%s:1: %w", p.Path, err)
		}
		for i := range o.d.columns {
			in := &o.d.columns[i].in
			if p.Name != "" && in.Name != p.Name || o.d.columns[i].fill != nil {
				continue
			}
			c, err := h.columns(in.Name)
			if err != nil {
				return nil, nil, fmt.Errorf("%s:1: %w", p.Path, err)
			}
			if len(c) > 0 {
				groups = append(groups, group{in, c})
				labels = slices.DeleteFunc(labels, func(l int) bool { return slices.Contains(c, l) })
			}
		}
	}
	if len(groups) > 0 {
		return groups, labels, nil
	}
	name := p.Name
	if name == "" {
		if name, err = o.onlyInput(p.Path); err != nil {
			return nil, nil, err
		}
	}
	in, err := o.input(p.Path, name)
	if err != nil {
		return nil, nil, err
	}
	g := group{in: in}
	for i := range h.names {
		if !slices.Contains(labels, i) {
			g.columns = append(g.columns, i)
		}
	}
	return []group{g}, labels, nil
}

// value returns the input's fields of a record, with commas between.
func (g group) value(record []byte, pad *float64) ([]byte, error) {
	fields, err := csvFields(record)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(record))
	for i, c := range g.columns {
		if i > 0 {
			out = append(out, ',')
		}
		var f []byte
		if c < len(fields) {
			f = fields[c]
		}
		switch {
		case len(f) == 0 && pad != nil:
			out = strconv.AppendFloat(out, *pad, 'g', -1, 64)
		case len(f) == 0:
			return nil, diag.Usagef("field %d is empty", c+1).Note("--pad %s=VALUE fills it", g.in.Name)
		case bytes.ContainsAny(f, ",[] \t\n"):
			return nil, fmt.Errorf("%q is no number", clip(f))
		default:
			out = append(out, f...)
		}
	}
	return out, nil
}

// rankOfColumns decides by their number whether the columns make a row of the
// model's batch or a whole sample.
func (r *textRows) rankOfColumns(columns int) error {
	if len(r.in.Shape) > 0 {
		r.row, r.batch = true, max(r.in.Shape[0], 1)
		if _, err := folded(r.in, columns*r.batch, r.batch, true); err == nil {
			return nil
		}
	}
	r.row, r.batch = false, 1
	_, err := folded(r.in, columns, 1, false)
	return err
}

func (o *opener) padded(groups []group) bool {
	return slices.ContainsFunc(groups, func(g group) bool { return o.pad(g.in.Name) != nil })
}
