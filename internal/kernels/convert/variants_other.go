//go:build noasm || (!amd64 && !arm64)

package convert

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"generic", cpu.Generic}}

func requantizeSpans[T Quantized](_ []T, _ []int32, _, _, _ float32, _ int32) int { return 0 }

func quantizeSpans[T Quantized](_ []T, _ []float32, _, _, _ float32, _ int32) int { return 0 }

func quantizeAwaySpans[T Quantized](_ []T, _ []float32, _, _, _ float32, _ int32) int { return 0 }

func dequantizeSpans[T Quantized | int32](_ []float32, _ []T, _ float32, _ int32) int { return 0 }

func sumSpans[T int8 | uint8](_, _, _ []T, _, _, _, _, _ float32) int { return 0 }

func productSpans[T int8 | uint8](_, _, _ []T, _, _ int32, _, _, _, _ float32) int { return 0 }

func decodeSpans([]float32, []uint16, bool) int { return 0 }

func encodeSpans([]uint16, []float32, bool) int { return 0 }
