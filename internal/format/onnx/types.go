package onnx

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// dataTypes maps TensorProto.DataType numbers to element types.
var dataTypes = map[int64]dtype.Type{
	1: dtype.Float32, 2: dtype.Uint8, 3: dtype.Int8, 4: dtype.Uint16, 5: dtype.Int16,
	6: dtype.Int32, 7: dtype.Int64, 8: dtype.String, 9: dtype.Bool, 10: dtype.Float16,
	11: dtype.Float64, 12: dtype.Uint32, 13: dtype.Uint64, 14: dtype.Complex64, 15: dtype.Complex128,
	16: dtype.BFloat16, 17: dtype.Float8E4M3FN, 18: dtype.Float8E4M3FNUZ, 19: dtype.Float8E5M2,
	20: dtype.Float8E5M2FNUZ, 21: dtype.Uint4, 22: dtype.Int4, 23: dtype.Float4E2M1,
	24: dtype.Float8E8M0, 25: dtype.Uint2, 26: dtype.Int2,
}

var dataNumbers = func() map[dtype.Type]int64 {
	m := map[dtype.Type]int64{}
	for n, t := range dataTypes {
		m[t] = n
	}
	return m
}()

// minOpset is the first ai.onnx version whose operators take the type.
var minOpset = map[dtype.Type]int{
	dtype.BFloat16: 13, dtype.Float8E4M3FN: 19, dtype.Float8E4M3FNUZ: 19, dtype.Float8E5M2: 19,
	dtype.Float8E5M2FNUZ: 19, dtype.Int4: 21, dtype.Uint4: 21, dtype.Float4E2M1: 23,
	dtype.Float8E8M0: 24, dtype.Int2: 25, dtype.Uint2: 25,
}

// parseType reads a TypeProto; nothing known is the zero Fact.
func parseType(b []byte, depth int) (f op.Fact, err error) {
	if depth > maxDepth {
		return f, fmt.Errorf("types are nested too deep")
	}
	for field, err := range proto.Fields(b) {
		if err != nil {
			return f, err
		}
		switch field.Num {
		case 1, 8:
			return parseTensorType(field.Bytes)
		case 4, 9:
			f.Kind = op.SequenceKind
			if field.Num == 9 {
				f.Kind = op.OptionalKind
			}
			var elem op.Fact
			for inner, err := range proto.Fields(field.Bytes) {
				if err != nil {
					return f, err
				}
				if inner.Num == 1 {
					if elem, err = parseType(inner.Bytes, depth+1); err != nil {
						return f, err
					}
				}
			}
			f.Elem = &elem
		}
	}
	return f, nil
}

func parseTensorType(b []byte) (f op.Fact, err error) {
	for field, err := range proto.Fields(b) {
		if err != nil {
			return f, err
		}
		switch field.Num {
		case 1:
			t, ok := dataTypes[int64(field.Val)]
			if !ok && field.Val != 0 {
				return f, fmt.Errorf("unknown element type %d", field.Val)
			}
			f.Type = t
		case 2:
			f.Shape = op.Known()
			for dim, err := range proto.Fields(field.Bytes) {
				if err != nil {
					return f, err
				}
				if dim.Num != 1 {
					continue
				}
				d := op.Unknown
				for x, err := range proto.Fields(dim.Bytes) {
					if err != nil {
						return f, err
					}
					switch x.Num {
					case 1:
						// Some exporters write -1 for a free dimension.
						if n := int64(x.Val); n >= 0 {
							d = op.Size(int(n))
						}
					case 2:
						d = op.Sym(string(x.Bytes))
					}
				}
				f.Shape = append(f.Shape, d)
			}
		}
	}
	return f, nil
}

// typeMessage writes a TypeProto.
func typeMessage(f op.Fact) *proto.Message {
	var m proto.Message
	switch f.Kind {
	case op.SequenceKind, op.OptionalKind:
		var inner proto.Message
		if f.Elem != nil {
			inner.Message(1, typeMessage(*f.Elem))
		}
		if f.Kind == op.SequenceKind {
			m.Message(4, &inner)
		} else {
			m.Message(9, &inner)
		}
		return &m
	}
	var t proto.Message
	t.Varint(1, uint64(dataNumbers[f.Type]))
	if f.Shape != nil {
		var s proto.Message
		for _, d := range f.Shape {
			var dim proto.Message
			if n, ok := d.Int(); ok {
				dim.Varint(1, uint64(n))
			} else if !d.IsUnknown() {
				dim.String(2, d.Name())
			}
			s.Message(1, &dim)
		}
		t.Message(2, &s)
	}
	m.Message(1, &t)
	return &m
}
