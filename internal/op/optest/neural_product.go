package optest

import (
	"math"

	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

func productCases() []Case {
	mul := func(name string, a, b, want *tensor.Tensor) Case {
		return Case{Name: "MatMul/" + name, Op: op.New[op.MatMul](), In: these(a, b), Want: these(want)}
	}
	a, b := series(1, 2, 3), ten(dims(3, 2), float32(1), 0, 0, 1, 1, 1)
	gemm := func(name string, in []*tensor.Tensor, want *tensor.Tensor, set func(*op.Gemm)) Case {
		return Case{Name: "Gemm/" + name, Op: with(set), In: in, Want: these(want)}
	}
	return []Case{
		mul("matrices", a, b, ten(dims(2, 2), float32(4), 5, 10, 11)),
		mul("vectors", vec[float32](1, 2, 3), vec[float32](4, 5, 6), tensor.Scalar[float32](32)),
		mul("rowTimesStack", vec[float32](1, 10), series(1, 2, 2, 2), ten(dims(2, 2), float32(31), 42, 75, 86)),
		mul("stackTimesColumn", series(1, 2, 2, 2), vec[float32](1, 10), ten(dims(2, 2), float32(21), 43, 65, 87)),
		mul("broadcast", series(1, 2, 1, 1, 2), ten(dims(2, 2, 1), float32(1), 1, 1, -1),
			ten(dims(2, 2, 1, 1), float32(3), -1, 7, -1)),
		mul("noTerms", series(1, 2, 0), series(1, 0, 2), ten(dims(2, 2), float32(0), 0, 0, 0)),
		mul("noRows", series(1, 0, 2), series(1, 2, 3), series(1, 0, 3)),
		mul("int32", ten(dims(1, 2), int32(1), math.MaxInt32), ten(dims(2, 1), int32(3), 2), ten(dims(1, 1), int32(1))),
		mul("uint64", ten(dims(1, 2), uint64(1), 2), ten(dims(2, 1), uint64(3), math.MaxUint64), ten(dims(1, 1), uint64(1))),
		mul("float64", ten(dims(1, 2), 1.0, 2), ten(dims(2, 1), 3.0, 0.25), ten(dims(1, 1), 3.5)),
		// One rounding for each term: 1 - (1+ε)(1-ε) is ε² where ε is 2⁻¹³.
		mul("fused", ten(dims(1, 2), float32(1), 1+0x1p-13), ten(dims(2, 1), float32(-1), 1-0x1p-13),
			ten(dims(1, 1), float32(-0x1p-26))),
		gemm("noC", these(a, b), ten(dims(2, 2), float32(4), 5, 10, 11), func(*op.Gemm) {}),
		gemm("transposed", these(series(1, 3, 2), ten(dims(2, 3), float32(1), 0, 1, 0, 1, 1), vec[float32](10, 20)),
			ten(dims(2, 2), float32(16), 28, 18, 30), func(o *op.Gemm) { o.TransA, o.TransB = true, true }),
		gemm("alphaBeta", these(a, b, ten(dims(2, 1), float32(1), 2)), ten(dims(2, 2), float32(5), 5.5, 11, 11.5),
			func(o *op.Gemm) { o.Alpha, o.Beta = 0.5, 3 }),
		gemm("scalarC", these(a, b, tensor.Scalar[float32](1)), ten(dims(2, 2), float32(5), 6, 11, 12), func(*op.Gemm) {}),
		gemm("noTerms", these(series(1, 1, 0), series(1, 0, 2), vec[float32](1, 2)), ten(dims(1, 2), float32(1), 2),
			func(*op.Gemm) {}),
		gemm("int64", these(ten(dims(1, 2), int64(1), 2), ten(dims(2, 1), int64(3), 4), vec[int64](5)),
			ten(dims(1, 1), int64(16)), func(*op.Gemm) {}),
	}
}

func einsumCases() []Case {
	sum := func(name, equation string, want *tensor.Tensor, in ...*tensor.Tensor) Case {
		return Case{Name: "Einsum/" + name, Op: with(func(o *op.Einsum) { o.Equation = equation }), In: in, Want: these(want)}
	}
	a, b := series(1, 2, 3), ten(dims(3, 2), float32(1), 0, 0, 1, 1, 1)
	square := series(1, 2, 2)
	return []Case{
		sum("matrices", "ij,jk->ik", ten(dims(2, 2), float32(4), 5, 10, 11), a, b),
		sum("implied", "ij,jk", ten(dims(2, 2), float32(4), 5, 10, 11), a, b),
		sum("impliedTranspose", "ba", ten(dims(3, 2), float32(1), 4, 2, 5, 3, 6), a),
		sum("transpose", "i j -> j i", ten(dims(3, 2), float32(1), 4, 2, 5, 3, 6), a),
		sum("rows", "ij->i", vec[float32](6, 15), a),
		sum("trace", "ii", tensor.Scalar[float32](5), square),
		sum("diagonal", "...ii->...i", vec[float32](1, 4), square),
		sum("batch", "bij,bjk->bik", ten(dims(2, 1, 1), float32(11), 13), series(1, 2, 1, 2), ten(dims(2, 2, 1), float32(1), 5, 3, 1)),
		sum("ellipsis", "...ij,...jk->...ik", ten(dims(2, 1, 1), float32(11), 23), series(1, 2, 1, 2), ten(dims(2, 1), float32(1), 5)),
		sum("outer", "i,j->ji", ten(dims(2, 2), float32(3), 6, 4, 8), vec[float32](1, 2), vec[float32](3, 4)),
		sum("three", "i,ij,j->", tensor.Scalar[float32](270), vec[float32](1, 2), square, vec[float32](10, 20)),
		sum("onesidedSum", "ij,k->k", vec[float32](210, 420), a, vec[float32](10, 20)),
		sum("integers", "ij,ij->", tensor.Scalar[int8](30), ten(dims(2, 2), int8(1), 2, 3, 4), ten(dims(2, 2), int8(1), 2, 3, 4)),
		sum("empty", "ij,jk->ik", ten(dims(2, 2), float32(0), 0, 0, 0), series(1, 2, 0), series(1, 0, 2)),
	}
}
