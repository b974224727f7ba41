package tflite

import (
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// Products of matrices.
var products = []conversion{
	{"BATCH_MATMUL", "BatchMatMulOptions", 4, 2, 1, batchMatMul},
	{"EMBEDDING_LOOKUP", "", 5, 2, 1, embeddingLookup},
	{"FULLY_CONNECTED", "FullyConnectedOptions", 14, 2, 1, fullyConnected},
}

// fullyConnected multiplies rows of the data with weights [out, in]. Data of
// another rank is brought into rows as it is stored, so that integers stay
// beside the product.
func fullyConnected(s *scope) {
	p := optionsOf[fullyConnectedOptions](s.o)
	if p.WeightsFormat != 0 {
		s.unsupported("with shuffled weights", "convert the model without them")
	}
	w := s.weight(1, 0, 1)
	depth := s.sizes(w, "weights", 1)[0]
	x := s.raw(0)
	if s.err != nil {
		return
	}
	rows := len(x.Shape) == 2 && x.Shape[1].Is(depth)
	var data *ir.Value
	if rows {
		data = s.in(0)
	} else {
		q, integers := s.quantized(s.o.in[0])
		if data = s.rows[x]; data == nil || integers || !data.Shape[1].Is(depth) {
			data = s.node(op.New[op.Reshape](), x, s.list(-1, depth))
		}
		if integers {
			data = s.dequantize(data, q, data.Name)
		} else if s.err == nil && len(data.Shape) == 2 {
			s.rows[x] = data
		}
	}
	data = s.hybrid(data, 1, p.Asymmetric, true)
	o := op.New[op.Gemm]()
	o.TransB = true
	in := []*ir.Value{data, w}
	if b := s.bias(2, 0, 1); b != nil {
		in = append(in, b)
	}
	y := s.fused(s.node(o, in...), p.Fused)
	if !p.KeepDims || len(x.Shape) == 2 {
		s.set(0, y)
		return
	}
	if q, ok := s.quantized(s.o.out[0]); ok {
		s.d.integer = true
		y = s.quantize(y, q, s.o.out[0])
	}
	s.store(0, s.node(op.New[op.Reshape](), y, s.leading(x, s.sizes(w, "weights", 0)[0])))
}

// leading returns the shape of x but for the last size, as a list.
func (s *scope) leading(x *ir.Value, last int) *ir.Value {
	n := len(x.Shape)
	if n == 0 {
		s.fail("data of shape %v", x.Shape)
		return x
	}
	out, unknown := make([]int, n), 0
	for i, d := range x.Shape[:n-1] {
		k, ok := d.Int()
		if out[i] = k; !ok {
			out[i] = -1
			unknown++
		}
	}
	if out[n-1] = last; unknown < 2 {
		return s.list(out...)
	}
	o := op.New[op.ShapeOf]()
	o.End = op.Some(n - 1)
	return s.node(op.New[op.Concat](), s.node(o, x), s.list(last))
}

func batchMatMul(s *scope) {
	p := optionsOf[batchMatMulOptions](s.o)
	a, b := s.in(0), s.in(1)
	a = s.hybrid(a, 1, p.Asymmetric, !p.AdjointX)
	s.set(0, s.node(op.New[op.MatMul](), s.adjoint(a, p.AdjointX), s.adjoint(b, p.AdjointY)))
}

// adjoint swaps the last two axes.
func (s *scope) adjoint(v *ir.Value, swap bool) *ir.Value {
	n := len(v.Shape)
	if !swap || n < 2 {
		return v
	}
	t := op.New[op.Transpose]()
	for i := range n {
		t.Perm = append(t.Perm, i)
	}
	t.Perm[n-2], t.Perm[n-1] = n-1, n-2
	return s.node(t, v)
}

// embeddingLookup takes rows of its second input.
func embeddingLookup(s *scope) {
	s.set(0, s.node(op.New[op.Gather](), s.in(1), s.raw(0)))
}
