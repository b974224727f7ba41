//go:build noasm || !amd64

package gemm

func unsigned(_, _ []byte, _ uint64) int { return 0 }

func center[T uint8 | int8]([]int8, []int32, []T, *centering) int { return 0 }
