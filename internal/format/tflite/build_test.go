package tflite

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
)

// tbl is a table of a FlatBuffer by slot; the values are uint8, bool, int32,
// uint32, uint64, float32, string, []byte, []int32, []int64, []float32, tbl or
// []tbl.
type tbl map[int]any

// build writes a file: every offset leads forward, as tables stand before what
// they refer to.
func build(root tbl) []byte {
	w := &writer{b: append(make([]byte, 4), identifier...)}
	at := w.table(root)
	binary.LittleEndian.PutUint32(w.b, uint32(at))
	return w.b
}

type writer struct{ b []byte }

func (w *writer) align(n int) {
	for len(w.b)%n != 0 {
		w.b = append(w.b, 0)
	}
}

func (w *writer) u32(v uint32) { w.b = binary.LittleEndian.AppendUint32(w.b, v) }

// table appends a table and everything below it, and returns where it lies.
func (w *writer) table(t tbl) int {
	slots := slices.Sorted(maps.Keys(t))
	n := 0
	if len(slots) > 0 {
		n = slots[len(slots)-1] + 1
	}
	// Fields are 8 bytes apart, the first one on a multiple of 8.
	w.align(8)
	list := len(w.b)
	w.b = append(w.b, make([]byte, 4+2*n)...)
	w.align(8)
	w.b = append(w.b, 0, 0, 0, 0)
	at := len(w.b)
	binary.LittleEndian.PutUint16(w.b[list:], uint16(4+2*n))
	binary.LittleEndian.PutUint16(w.b[list+2:], uint16(4+8*len(slots)))
	w.u32(uint32(at - list))
	for i, s := range slots {
		binary.LittleEndian.PutUint16(w.b[list+4+2*s:], uint16(4+8*i))
		w.b = append(w.b, make([]byte, 8)...)
	}
	for i, s := range slots {
		w.field(at+4+8*i, t[s])
	}
	return at
}

func (w *writer) field(at int, v any) {
	switch v := v.(type) {
	case uint8:
		w.b[at] = v
	case bool:
		if v {
			w.b[at] = 1
		}
	case int32:
		binary.LittleEndian.PutUint32(w.b[at:], uint32(v))
	case uint32:
		binary.LittleEndian.PutUint32(w.b[at:], v)
	case uint64:
		binary.LittleEndian.PutUint64(w.b[at:], v)
	case float32:
		binary.LittleEndian.PutUint32(w.b[at:], math.Float32bits(v))
	default:
		w.align(8)
		w.b = append(w.b, 0, 0, 0, 0) // a vector's elements lie behind its length
		to := len(w.b)
		if t, ok := v.(tbl); ok {
			to = w.table(t)
		} else {
			w.vector(v)
		}
		binary.LittleEndian.PutUint32(w.b[at:], uint32(to-at))
	}
}

func (w *writer) vector(v any) {
	switch v := v.(type) {
	case string:
		w.u32(uint32(len(v)))
		w.b = append(w.b, v...)
	case []byte:
		w.u32(uint32(len(v)))
		w.b = append(w.b, v...)
	case []int32:
		w.u32(uint32(len(v)))
		for _, x := range v {
			w.u32(uint32(x))
		}
	case []float32:
		w.u32(uint32(len(v)))
		for _, x := range v {
			w.u32(math.Float32bits(x))
		}
	case []int64:
		w.u32(uint32(len(v)))
		for _, x := range v {
			w.b = binary.LittleEndian.AppendUint64(w.b, uint64(x))
		}
	case []tbl:
		w.u32(uint32(len(v)))
		first := len(w.b)
		w.b = append(w.b, make([]byte, 4*len(v))...)
		for i, t := range v {
			at := first + 4*i
			to := w.table(t)
			binary.LittleEndian.PutUint32(w.b[at:], uint32(to-at))
		}
	default:
		panic(fmt.Sprintf("a field of type %T", v))
	}
}

// floats32 are the bytes of floats.
func floats32(v ...float32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// value is a tensor of floats of a shape, without data.
func value(name string, shape ...int32) tbl {
	return tbl{tensorName: name, tensorShape: shape, tensorHasRank: true}
}

// with returns a table with some fields changed; nil takes one away.
func with(t tbl, change tbl) tbl {
	out := maps.Clone(t)
	for k, v := range change {
		if out[k] = v; v == nil {
			delete(out, k)
		}
	}
	return out
}

// codeOf is an operator's code by name.
func codeOf(name string) tbl {
	i := slices.Index(codeNames[:], name)
	return tbl{codeDeprecated: uint8(min(i, codePlaceholder)), codeBuiltin: int32(i)}
}

// applied is an operator of the code at a place in the list.
func applied(code uint32, in, out []int32, more tbl) tbl {
	return with(tbl{operatorCode: code, operatorInputs: in, operatorOutputs: out}, more)
}

// options are an operator's, of a table of the union by name.
func options(name string, o tbl) tbl {
	return tbl{operatorOptionsType: unionNumbers[name], operatorOptions: o}
}
