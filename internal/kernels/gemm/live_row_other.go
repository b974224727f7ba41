//go:build noasm || !amd64

package gemm

func (*Row) floats(_, _, _, _, _ []float32, _, _ int) int { return 0 }

func (*Row) bytes(_, _, _ []float32, _ []byte, _ []int8, _ *LiveEnd, _ uint8, _ float32, _, _ int) int {
	return 0
}
