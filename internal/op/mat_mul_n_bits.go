package op

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// MatMulNBits is a matrix product with a weight of 2, 4 or 8 bits, quantized in
// blocks along K: A [..., K]; B [N, blocks, BlockSize·Bits/8] bytes, the first
// element in the lowest bits; scales [N·blocks]; optional zero points, packed
// like B with each row of blocks padded to bytes, or of the scales' type; an
// optional group index for each k; an optional bias [N].
type MatMulNBits struct {
	K             int `attr:"K"`
	N             int `attr:"N"`
	Bits          int `attr:"bits,default=4"`
	BlockSize     int `attr:"block_size"`
	AccuracyLevel int `attr:"accuracy_level,default=0"`
}

// Name returns "MatMulNBits".
func (o *MatMulNBits) Name() string { return "MatMulNBits" }

// check checks the attributes.
func (o *MatMulNBits) check() error {
	if !slices.Contains([]int{2, 4, 8}, o.Bits) {
		return fmt.Errorf("bits %d, want 2, 4 or 8", o.Bits)
	}
	if o.BlockSize < 16 || o.BlockSize > 1<<16 || o.BlockSize&(o.BlockSize-1) != 0 {
		return fmt.Errorf("block_size %d, want a power of two from 16 on", o.BlockSize)
	}
	if o.K < 1 || o.N < 1 || o.K > 1<<30 || o.N > 1<<30 {
		return fmt.Errorf("attributes K %d, N %d", o.K, o.N)
	}
	return nil
}

func (o *MatMulNBits) blocks() int { return (o.K + o.BlockSize - 1) / o.BlockSize }

// Infer replaces K by N.
func (o *MatMulNBits) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 3, 6); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	typ, err := wantFloats(in[0], input(in, 5))
	if err != nil {
		return nil, err
	}
	if t := in[1].Type; t != dtype.Invalid && t != dtype.Uint8 {
		return nil, fmt.Errorf("operand B of type %v, want uint8", t)
	}
	sizes := []struct {
		what string
		i, n int
	}{
		{"B", 1, o.N * o.blocks() * (o.BlockSize * o.Bits / 8)},
		{"scales", 2, o.N * o.blocks()},
		{"bias", 5, o.N},
	}
	for _, s := range sizes {
		if f := input(in, s.i); f.Present() && contradict(f.Shape.Count(), Size(s.n)) {
			return nil, fmt.Errorf("%s of shape %v, want %d elements", s.what, f.Shape, s.n)
		}
	}
	out := in[0].Shape.Clone()
	if out != nil {
		if len(out) == 0 || contradict(out[len(out)-1], Size(o.K)) {
			return nil, fmt.Errorf("operand A of shape %v, and K %d", out, o.K)
		}
		out[len(out)-1] = Size(o.N)
	}
	return []Fact{TensorFact(typ, out)}, nil
}

// Codes returns what the weight's codes, scales and optional zero points hold,
// as package gemm packs it. A missing zero point is the middle of the range.
func (o *MatMulNBits) Codes(b, scales, zero *tensor.Tensor) (gemm.Codes, error) {
	c := gemm.Codes{K: o.K, N: o.N, Bits: o.Bits, Block: o.BlockSize, Row: 1}
	if err := o.check(); err != nil {
		return c, err
	}
	s, err := Convert(scales, dtype.Float32)
	if err != nil {
		return c, err
	}
	c.Data, c.Scale, c.ScaleRow, c.ScaleColumn = b.Bytes(), tensor.Data[float32](s), 1, o.blocks()
	c.Column = c.ScaleColumn * o.BlockSize
	if have := len(c.Data) * (8 / o.Bits); have != o.N*c.Column || len(c.Scale) != o.N*c.ScaleColumn {
		return c, fmt.Errorf("%d elements of B and %d scales for N %d, K %d", have, len(c.Scale), o.N, o.K)
	}
	c.Zero, err = o.zeros(zero)
	return c, err
}

// Weight returns the weight as real numbers [N, K]: scale·(q − zero point), in
// float32.
func (o *MatMulNBits) Weight(in []Datum) (*tensor.Tensor, error) {
	c, err := o.Codes(arg(in, 1), arg(in, 2), arg(in, 3))
	if err != nil {
		return nil, err
	}
	blocks, row, codes, zero := o.blocks(), c.Column, bits(c.Data, o.Bits), c.Zero
	var groups []int
	if t := arg(in, 4); t != nil {
		if groups, err = indices(t, blocks); err != nil {
			return nil, err
		}
		if len(groups) < o.K {
			return nil, fmt.Errorf("%d group indices for K %d", len(groups), o.K)
		}
	}
	w := make([]float32, o.N*o.K)
	for n := range o.N {
		for k := range o.K {
			g := k / o.BlockSize
			if groups != nil {
				g = groups[k]
			}
			g += n * blocks
			w[n*o.K+k] = (float32(codes[n*row+k]) - zero[min(g, len(zero)-1)]) * c.Scale[g]
		}
	}
	return tensor.FromSlice(w, o.N, o.K), nil
}

// zeros returns the zero point of every block, or the one of all.
func (o *MatMulNBits) zeros(t *tensor.Tensor) ([]float32, error) {
	if t == nil {
		return []float32{float32(int(1) << (o.Bits - 1))}, nil
	}
	blocks := o.blocks()
	out := make([]float32, o.N*blocks)
	switch {
	case t.Type() == dtype.Uint8:
		codes := bits(t.Bytes(), o.Bits)
		row := (blocks*o.Bits + 7) / 8 * 8 / o.Bits
		if len(codes) != o.N*row {
			return nil, fmt.Errorf("zero points of shape %v for %d rows of %d blocks", t.Shape(), o.N, blocks)
		}
		for i := range out {
			out[i] = float32(codes[i/blocks*row+i%blocks])
		}
	default:
		f, err := Convert(t, dtype.Float32)
		if err != nil {
			return nil, err
		}
		if f.Len() != len(out) {
			return nil, fmt.Errorf("zero points of shape %v for %d blocks", t.Shape(), len(out))
		}
		copy(out, tensor.Data[float32](f))
	}
	return out, nil
}

// bits returns the unsigned elements of the given width, one a byte.
func bits(b []byte, width int) []byte {
	per := 8 / width
	out := make([]byte, len(b)*per)
	for i := range out {
		out[i] = b[i/per] >> (i % per * width) & byte(1<<width-1)
	}
	return out
}

// Eval multiplies by the real weight.
func (o *MatMulNBits) Eval(in []Datum) ([]Datum, error) {
	return evalWide(o, in, 1, false, func(in []Datum, out []Fact) ([]Datum, error) {
		w, err := o.Weight(in)
		if err != nil {
			return nil, err
		}
		y, err := room(out[0], dtype.Float32)
		if err != nil {
			return nil, err
		}
		d, x := tensor.Data[float32](y), tensor.Data[float32](arg(in, 0))
		multiply(d, o.N, len(x)/o.K, o.N, o.K, matrix[float32]{x, o.K, 1}, matrix[float32]{tensor.Data[float32](w), 1, o.K})
		if b := arg(in, 5); b != nil {
			add := tensor.Data[float32](b)
			for i := range d {
				d[i] += add[i%o.N]
			}
		}
		return Of(y), nil
	})
}
