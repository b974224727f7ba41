//go:build noasm || !amd64

package gemm

import "unsafe"

func hasBF16() bool { return false }

func hasTiles() bool { return false }

func bf16(_, _ unsafe.Pointer, _, _ int, _ []uint16, _ *Rows, _ int, _ []uint16, _, _ int, _ []float32, _ *FloatEnd) {
	panic("gemm: no kernels for bfloat16")
}

func roundBF16([]uint16, []float32) { panic("gemm: no kernels for bfloat16") }

func duosOf([]uint16, []float32, []float32) { panic("gemm: no kernels for bfloat16") }

func shortDuosOf([]uint16, []uint16, []uint16) { panic("gemm: no kernels for bfloat16") }

func spread([]uint16, []uint16, int, int) int { panic("gemm: no kernels for bfloat16") }
