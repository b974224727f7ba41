//go:build noasm || (!amd64 && !arm64)

package reduce

import "github.com/octavo-ml/octavo/internal/cpu"

var variants = []variant{{"generic", cpu.Generic}}

func addSpans(*[lanes]float32, []float32) int { return 0 }

func squareSpans(*[lanes]float32, []float32) int { return 0 }

func centerSpans(_ *[lanes]float32, _, _ []float32, _ float32) int { return 0 }

func maxSpans(*[lanes]float32, []float32) int { return 0 }

func scaleSpans(_, _, _, _ []float32, _ float32) int { return 0 }

func divideSpans([]float32, float32) int { return 0 }

func maxPlaces[T Number](dst, x []T, offsets []int) { maxPlacesGeneric(dst, x, offsets) }

func sumPlaces[T uint8 | int8](dst []int32, x []T, offsets []int) { sumPlacesGeneric(dst, x, offsets) }

func sumFloats(dst, x []float32, offsets []int) { sumFloatsGeneric(dst, x, offsets) }
