// Package gemm multiplies matrices: float32, and 8-bit integers, whose sums
// become 8-bit or float32 results in the same kernel.
//
// Rows of A are read where they lie, found by offsets, so that a convolution is
// a product too. B is packed into panels of 64 columns, once where it is a
// weight, in one form for all instruction sets. Every float result is acc =
// +0; acc = fma(a[k], b[k], acc) for ascending k, then bias, addend and clamp,
// each rounded: the same bits from the Go twin and from each assembly kernel.
// Integer sums are exact modulo 2³², their rounding is package convert's. The
// package sees slices and must not know tensors, operators or scales.
//
// Start at [Floats] and [Bytes] for products, at [Matrix] for packing; [Row]
// multiplies one row, [Pair] matrices neither of which is known before, and
// [Blocks] is a matrix of codes with a scale for each block of them. Which
// kernels run says product_amd64.go or product_arm64.go; _asm generates them.
package gemm

//go:generate go -C _asm run . ..

import "github.com/octavo-ml/octavo/internal/cpu"

// variant is one implementation of the kernels. Tests and benchmarks run every
// row of the table variants; each equals the generic twin to the bit. Kernels
// run the highest row whose level may be used and that has what they need.
type variant struct {
	name  string
	level cpu.Level
}
