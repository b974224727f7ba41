package quant

import "github.com/octavo-ml/octavo/internal/diag"

// Check returns an error of kind usage unless m is a mode of this release, or
// empty. Its notes say what works instead.
func (m Mode) Check() error {
	if m == "hybrid" {
		return diag.Usagef("mode hybrid means two things: say which").
			Note("in TFLite, hybrid kernels compute on int8 weights and activations that are quantized as the model runs: --mode dynamic").
			Note("in guides to quantization, a hybrid model has several precisions: any mode, and --override PATTERN=WORD for some nodes, such as op:Gemm=float16, /head/*=w4a16:g32 or op:MatMul=dynamic")
	}
	return checkWord("mode", "mode", string(m))
}
