//go:build noasm || (!amd64 && !arm64)

package lut

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"generic", cpu.Generic}}

func applySpans(_, _ []byte, _ *[256]byte) int { return 0 }
