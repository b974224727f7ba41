//go:build noasm || (!amd64 && !arm64)

package gemm

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"generic", cpu.Generic, f32Generic}}
