package dataset

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// maxNested is how deep lists may be nested, and maxPadded how many elements
// padding may make of a text: a few rows of very different length would
// otherwise stand for more memory than the file could fill.
const (
	maxNested = 32
	maxPadded = 1 << 26
)

// errRagged says that lists side by side differ in length.
var errRagged = errors.New("rows differ in length")

// lists measures nested lists of numbers in the syntax of JSON.
type lists struct {
	dims  []int // the longest list at each depth
	leaf  int   // depth of the numbers, -1 as long as none was seen
	count int
	equal bool // all lists of a depth are of one length
}

// walk calls number for each number of the nested lists in b, with its index
// at each depth, and leave for each list that ends, with its depth and length.
func walk(b []byte, number func(text []byte, index []int) error, leave func(depth, length int)) error {
	var index []int // of the next element, at each open depth
	element := true // an element may stand here
	for i := 0; i < len(b); {
		c := b[i]
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' && len(index) == 0 && !element {
			return fmt.Errorf("%q follows the value", clip(b[i:]))
		}
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '[':
			if !element || len(index) == maxNested {
				return errors.New("lists are nested too deeply, or a comma is missing")
			}
			index = append(index, 0)
			i++
		case c == ']':
			n := len(index) - 1
			if n < 0 || element && index[n] > 0 {
				return errors.New("a list ends where an element should stand")
			}
			leave(n, index[n]) // after the last element its index was counted up
			index = index[:n]
			element = false
			bump(index)
			i++
		case c == ',':
			if element || len(index) == 0 {
				return errors.New("a comma where an element should stand")
			}
			element = true
			i++
		default:
			end := i
			for end < len(b) && b[end] != ',' && b[end] != ']' && b[end] != '[' && b[end] > ' ' {
				end++
			}
			if !element {
				return fmt.Errorf("%q where a comma should stand", clip(b[i:end]))
			}
			if err := number(b[i:end], index); err != nil {
				return err
			}
			element = false
			bump(index)
			i = end
		}
	}
	if len(index) > 0 || element {
		return errors.New("the value is incomplete")
	}
	return nil
}

func bump(index []int) {
	if n := len(index); n > 0 {
		index[n-1]++
	}
}

func clip(b []byte) []byte { return b[:min(len(b), 24)] }

// measure returns the shape of nested lists.
func measure(b []byte) (lists, error) {
	l := lists{leaf: -1, equal: true}
	seen := [maxNested]bool{}
	err := walk(b, func(_ []byte, index []int) error {
		if l.leaf >= 0 && l.leaf != len(index) {
			return errors.New("numbers and lists stand side by side")
		}
		l.leaf = len(index)
		l.count++
		return nil
	}, func(depth, length int) {
		for len(l.dims) <= depth {
			l.dims = append(l.dims, 0)
		}
		if seen[depth] && l.dims[depth] != length {
			l.equal = false
		}
		seen[depth] = true
		l.dims[depth] = max(l.dims[depth], length)
	})
	if err == nil && l.leaf >= 0 && l.leaf < len(l.dims) {
		err = errors.New("numbers and lists stand side by side")
	}
	return l, err
}

// parseLists reads nested lists of numbers as a tensor of type typ. Where pad
// is given, lists that are too short are filled with it, up to the longest of
// their depth or to the fixed dimension of want; a negative dimension of want
// is free, and nil leaves all free.
func parseLists(b []byte, typ dtype.Type, want []int, pad *float64) (*tensor.Tensor, error) {
	l, err := measure(b)
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(l.dims)
	short := !l.equal
	for i := range shape {
		if i < len(want) && want[i] > shape[i] && len(want) == len(shape) {
			shape[i], short = want[i], true
		}
	}
	if short && pad == nil {
		if l.equal {
			return nil, fmt.Errorf("shape %v: %w than the model takes", l.dims, errShort)
		}
		return nil, errRagged
	}
	n, ok := tensor.Count(shape)
	if !ok || n > maxPadded && n > l.count {
		return nil, fmt.Errorf("shape %v is too large: padding makes at most %d elements", shape, maxPadded)
	}
	out, err := newNumbers(typ, n)
	if err != nil {
		return nil, err
	}
	if n > l.count {
		if err := out.fill(*pad); err != nil {
			return nil, err
		}
	}
	strides := tensor.Strides(shape)
	err = walk(b, func(text []byte, index []int) error {
		at := 0
		for d, i := range index {
			at += i * strides[d]
		}
		return out.set(at, text)
	}, func(int, int) {})
	if err != nil {
		return nil, err
	}
	return out.tensor(shape), nil
}

// errShort says that there are fewer elements than a fixed dimension wants.
var errShort = errors.New("fewer elements")

// numbers takes numbers in their written form and makes a tensor of them.
type numbers struct {
	typ      dtype.Type
	ints     []int64   // of integer types and bool,
	floats   []float32 // of float32,
	doubles  []float64 // of float64
	min, max int64
}

func newNumbers(typ dtype.Type, n int) (*numbers, error) {
	x := &numbers{typ: typ}
	switch {
	case typ == dtype.Float32:
		x.floats = make([]float32, n)
	case typ == dtype.Float64:
		x.doubles = make([]float64, n)
	case typ == dtype.Bool:
		x.ints, x.max = make([]int64, n), 1
	case typ.IsInteger():
		x.ints = make([]int64, n)
		x.min, x.max = typ.Range()
	default:
		return nil, fmt.Errorf("numbers in text are not read for inputs of type %v; give .npy", typ)
	}
	return x, nil
}

// set reads text as element i. Decimal numbers have no width: they become what
// the model takes, correctly rounded, and only what does not fit is refused.
func (x *numbers) set(i int, text []byte) error {
	s := string(text)
	switch s {
	case "true":
		s = "1"
	case "false":
		s = "0"
	}
	if x.ints != nil {
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			if _, e := strconv.ParseFloat(s, 64); e == nil {
				return fmt.Errorf("%q for an input of type %v", clip(text), x.typ)
			}
			return fmt.Errorf("%q is no number", clip(text))
		}
		return x.put(i, v)
	}
	bits := 32
	if x.doubles != nil {
		bits = 64
	}
	v, err := strconv.ParseFloat(s, bits)
	if err != nil {
		if errors.Is(err, strconv.ErrRange) {
			return fmt.Errorf("%q does not fit into %v", clip(text), x.typ)
		}
		return fmt.Errorf("%q is no number", clip(text))
	}
	if x.doubles != nil {
		x.doubles[i] = v
	} else {
		x.floats[i] = float32(v)
	}
	return nil
}

func (x *numbers) put(i int, v int64) error {
	if v < x.min || v > x.max {
		return fmt.Errorf("value %d does not fit into %v", v, x.typ)
	}
	x.ints[i] = v
	return nil
}

// fill gives every element the value v.
func (x *numbers) fill(v float64) error {
	if x.ints != nil {
		if v != math.Trunc(v) || math.Abs(v) > 1<<53 {
			return fmt.Errorf("padding with %v for an input of type %v", v, x.typ)
		}
		for i := range x.ints {
			if err := x.put(i, int64(v)); err != nil {
				return err
			}
		}
	}
	for i := range x.floats {
		x.floats[i] = float32(v)
	}
	for i := range x.doubles {
		x.doubles[i] = v
	}
	return nil
}

func (x *numbers) tensor(shape []int) *tensor.Tensor {
	switch {
	case x.ints != nil:
		return tensor.FromInts(x.typ, x.ints, shape...)
	case x.doubles != nil:
		return tensor.FromSlice(x.doubles, shape...)
	}
	return tensor.FromSlice(x.floats, shape...)
}
