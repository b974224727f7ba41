//go:build noasm || (!amd64 && !arm64)

package transpose

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"generic", cpu.Generic}}

const byteColumns, wordColumns = 1, 1

func blocks[T uint8 | uint32](_, _ []T, _, _, _, _, _, _ int) (height, columns int) { return 0, 0 }

func interleave[T uint8 | uint32](_, _ []T, _, _ int) int { return 0 }
