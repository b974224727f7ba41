// Package eltwise holds the elementwise kernels: transcendental and activation
// functions of float32, arithmetic of two operands, and the walker that
// broadcasts them.
//
// It sees slices, shapes and strides, and must not know tensors, operators or
// quantization. Every function here is the portable twin that defines its
// kernel to the bit.
//
// What networks spend time on is computed in float32 with fused multiply-add
// ([github.com/octavo-ml/octavo/internal/exact.FMA32]): [Exp], [Sigmoid], [Swish],
// [Tanh], [Erf], [Gelu] and [GeluTanh], in single.go, for which there is assembly.
// docs/numerics.md has their errors.
//
// The other functions of float32 are computed in float64: widen, reduce the
// argument, evaluate a polynomial by Horner's rule with every product and sum
// rounded, undo the reduction, round once to float32. Their error against the
// true value stays within [MaxULP]. Where a formula has cases, both sides may be
// computed and blended.
//
// Start at single.go, at core.go for the reductions of float64, and at [Broadcast] for two operands.
package eltwise

// MaxULP bounds the error of every function that is computed in float64 and
// rounded once, in units in the last place of the exact result; 0.5 would be correct
// rounding. The bound holds for subnormal results too.
const MaxULP = 0.501
