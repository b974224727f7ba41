//go:build noasm || !amd64

package convert

func losses(*[2]float64, []float32, *[2]float64, float64, float64) int { return 0 }

func ends(*[3]float32, []float32) int { return 0 }
