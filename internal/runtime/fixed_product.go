package runtime

import (
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// rescaledProduct is a product of bytes whose sums are rescaled while they are
// near, instead of by an operator of its own.
type rescaledProduct struct {
	product *op.Quantized
	end     *rescaled
}

// Name returns "Rescaled".
func (*rescaledProduct) Name() string { return "Rescaled" }

// Infer returns the product's shape in the type of the result.
func (r *rescaledProduct) Infer(in []op.Fact, n int) ([]op.Fact, error) {
	sums, err := r.product.Infer(in, n)
	if err != nil {
		return nil, err
	}
	return r.end.Infer(sums, n)
}

// Eval computes the sums, and rescales them.
func (r *rescaledProduct) Eval(in []op.Datum) ([]op.Datum, error) {
	sums, err := r.product.Eval(in)
	if err != nil {
		return nil, err
	}
	return r.end.Eval(sums)
}

func (pl *plan) dispatchRescaledProduct(s *step, key *ir.Node, r *rescaledProduct) error {
	switch o := r.product.Inner.(type) {
	case *op.Conv:
		return pl.dispatchQuantizedConv(s, key, r.product, o, r.end)
	case *op.Gemm:
		return pl.dispatchQuantizedGemm(s, key, r.product, o.TransB, r.end)
	case *op.MatMul:
		return pl.dispatchQuantizedMatMul(s, key, r.product, r.end)
	}
	return nil
}
