package octavo

import (
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	engine "github.com/octavo-ml/octavo/internal/runtime"
)

// BFloat16Arithmetic makes a program multiply floats in bfloat16, in Conv but
// for depthwise ones, ConvTranspose, Gemm and MatMul: both factors are rounded to
// 8 significant bits, sums stay float32. Compile returns an error on processors
// without instructions for it (AVX512_BF16). Results differ from those of float32
// by what docs/numerics.md says; integer operators are not affected.
func BFloat16Arithmetic() CompileOption { return func(o *engine.Options) { o.BFloat16 = true } }

// hasArithmetic returns an error where this machine lacks what is asked for.
func hasArithmetic(o engine.Options) error {
	if !o.BFloat16 || engine.HasBF16() {
		return nil
	}
	return &diag.Error{
		Msg:   "bfloat16 arithmetic needs a processor with AVX512_BF16",
		Notes: []string{"without it the model runs in float32, as exactly as it was trained"},
	}
}

// arithmeticOf names the type in which programs with such options multiply
// floats.
func arithmeticOf(options []CompileOption) string {
	var o engine.Options
	for _, f := range options {
		f(&o)
	}
	if o.BFloat16 {
		return dtype.BFloat16.String()
	}
	return dtype.Float32.String()
}
