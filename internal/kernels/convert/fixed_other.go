//go:build noasm || !amd64

package convert

func rescaleRows[T int8 | uint8](*Rescaling, []T, int, []int32, int) int { return 0 }

func sumFixed[T int8 | uint8](_ *FixedSum, _, _, _ []T) int { return 0 }

func productFixed[T int8 | uint8](_ *FixedProduct, _, _, _ []T) int { return 0 }
