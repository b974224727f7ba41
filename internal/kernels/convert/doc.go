// Package convert holds the kernels that change the type of elements: half
// precision, bfloat16, the floats of 8 and 4 bits, saturating float to integer,
// and the loops of quantization (float to integer grid and back, accumulator
// to integer grid, what rounding to a grid loses).
//
// It sees slices and numbers, and must not know tensors, how parameters are
// chosen, or how elements narrower than a byte are packed: they stand here one
// a byte. Every function is the portable twin that defines its kernel to the
// bit; all rounding is half to even. Quantize, Dequantize and Requantize have
// assembly for 8-bit elements, and so have both 16-bit floats: variants.go.
//
// Start at half.go for floats and at quantize.go for the integer grids.
package convert
