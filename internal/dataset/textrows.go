package dataset

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// indexStride is how many records share an entry of an index: reading one
// passes over at most as many, and the index stays small beside the file.
const indexStride = 16

// recordIndex finds the records of a text that stays in its mapped file.
type recordIndex struct {
	where  string
	text   []byte
	starts []int // of every indexStride-th record
	lines  []int // the lines they begin at, counted from 1
	n      int
	// next returns the record that text begins with, without its line end,
	// and how many bytes and lines it takes.
	next func(text []byte) (record []byte, size, lines int, err error)
}

// newRecordIndex passes over the text once; empty lines are no records. see is
// called for each record.
func newRecordIndex(where string, text []byte, first int, next func([]byte) ([]byte, int, int, error), see func(line int, record []byte) error) (*recordIndex, error) {
	x := &recordIndex{where: where, text: text, next: next}
	line := 1 + bytes.Count(text[:first], []byte("\n"))
	for at := first; at < len(text); {
		record, size, lines, err := next(text[at:])
		if err != nil {
			return nil, x.wrap(line, err)
		}
		if len(bytes.TrimSpace(record)) > 0 {
			if err := see(line, record); err != nil {
				return nil, x.wrap(line, err)
			}
			if x.n%indexStride == 0 {
				x.starts, x.lines = append(x.starts, at), append(x.lines, line)
			}
			x.n++
		}
		at += size
		line += lines
	}
	return x, nil
}

// wrap puts the place before an error; the error's kind and notes stay.
func (x *recordIndex) wrap(line int, err error) error {
	var e *diag.Error
	if errors.As(err, &e) {
		return fmt.Errorf("%s:%d: %w", x.where, line, err)
	}
	return &diag.FormatError{Where: fmt.Sprintf("%s:%d", x.where, line), Msg: err.Error()}
}

// records calls see for records i to i+n.
func (x *recordIndex) records(i, n int, see func(line int, record []byte) error) error {
	at, line := x.starts[i/indexStride], x.lines[i/indexStride]
	for k := i - i%indexStride; k < i+n; {
		record, size, lines, err := x.next(x.text[at:])
		if err != nil {
			return x.wrap(line, err) // the file was changed
		}
		if len(bytes.TrimSpace(record)) > 0 {
			if k >= i {
				if err := see(line, record); err != nil {
					return x.wrap(line, err)
				}
			}
			k++
		}
		at += size
		line += lines
	}
	return nil
}

// lineRecord is the next function of formats with a record a line.
func lineRecord(text []byte) ([]byte, int, int, error) {
	i := bytes.IndexByte(text, '\n')
	if i < 0 {
		return text, len(text), 1, nil
	}
	return bytes.TrimSuffix(text[:i], []byte("\r")), i + 1, 1, nil
}

// textRows is one input's samples in a text: batch records make one.
type textRows struct {
	in    Input
	pad   *float64
	index *recordIndex
	batch int
	// value returns the input's part of a record: nested lists of numbers of
	// the rank of the input, or of one less.
	value func(record []byte) ([]byte, error)
	// row says that a record holds a row of the batch, not a whole sample.
	row bool
	// flat says that the numbers of a record are not nested.
	flat bool
}

func (r *textRows) sample(i int) (*tensor.Tensor, error) {
	var text []byte
	place := 0
	err := r.index.records(i*r.batch, r.batch, func(line int, record []byte) error {
		v, err := r.value(record)
		if err != nil {
			return fmt.Errorf("input %q: %w", r.in.Name, err)
		}
		if text == nil {
			place = line
			if !r.row && !r.flat {
				text = v
				return nil
			}
			text = append(text, '[')
		} else {
			text = append(text, ',')
		}
		text = append(text, v...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if r.row || r.flat {
		text = append(text, ']')
	}
	t, err := r.tensor(text)
	if err != nil {
		return nil, r.index.wrap(place, fmt.Errorf("input %q: %w", r.in.Name, err))
	}
	return t, nil
}

func (r *textRows) tensor(text []byte) (*tensor.Tensor, error) {
	if r.flat {
		t, err := parseLists(text, r.in.Type, nil, r.pad)
		if err != nil {
			return nil, err
		}
		return r.fold(t)
	}
	want := r.in.Shape
	if r.row {
		want = append([]int{r.batch}, want[1:]...)
	}
	t, err := parseLists(text, r.in.Type, want, r.pad)
	switch {
	case errors.Is(err, errRagged) || errors.Is(err, errShort):
		return nil, diag.Usagef("%w", err).Note("--pad %s=VALUE fills them up", r.in.Name)
	case err != nil:
		return nil, err
	case !fits(t.Shape(), want):
		return nil, diag.Usagef("a value of shape %v does not fit input %q of shape %s", t.Shape(), r.in.Name, shapeText(r.in.Shape))
	}
	return t, nil
}

// fold gives the numbers of batch records the shape of the input; one free
// dimension beside that of the batch follows from their count.
func (r *textRows) fold(t *tensor.Tensor) (*tensor.Tensor, error) {
	shape, err := folded(r.in, t.Len(), r.batch, r.row)
	if err != nil {
		return nil, err
	}
	return t.Reshape(shape...)
}

// folded returns the shape that n numbers have as one sample of in.
func folded(in Input, n, batch int, row bool) ([]int, error) {
	shape := append([]int{}, in.Shape...)
	if row {
		shape[0] = batch
	}
	known, free := 1, -1
	for i, d := range shape {
		switch {
		case d >= 0:
			known *= d
		case free >= 0:
			return nil, diag.Usagef("input %q of shape %s: numbers in a row do not say how long its free dimensions are", in.Name, shapeText(in.Shape)).Note("give .npy, or .jsonl with nested lists")
		default:
			free = i
		}
	}
	if free >= 0 && known > 0 {
		shape[free] = n / known
		known *= n / known
	}
	if known != n {
		return nil, diag.Usagef("%d numbers do not make input %q of shape %s", n, in.Name, shapeText(in.Shape))
	}
	return shape, nil
}
