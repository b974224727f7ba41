package algo

// newtonSteps is how often the shift is improved: a clamp makes the mean bend.
const newtonSteps = 3

// leastShare bounds how far one step goes where nearly all values are clamped.
const leastShare = 0.1

// Shift returns by how much the bias of a channel has to change for the mean of
// clamp(y + shift) over the places y of the quantized layer to be the mean
// of the float layer. The clamp limits to [lo, hi], what the activation behind
// the layer does (after Nagel et al., "Data-Free Quantization Through Weight
// Equalization and Bias Correction", 2019, section 4.2, with means taken
// behind the activation).
func Shift(y []float32, mean, lo, hi float64) float64 {
	if len(y) == 0 {
		return 0
	}
	shift := 0.0
	for range newtonSteps {
		m, share := clampedMean(y, shift, lo, hi)
		shift += (mean - m) / max(share, leastShare)
	}
	return shift
}

// Trust returns the share of the mean of some differences, one for each sample,
// that is more than chance: 1 − (standard error / mean)², 0 where chance
// explains all of it (the positive part of James and Stein's estimate).
func Trust(d []float64) float64 {
	n := float64(len(d))
	sum := 0.0
	for _, v := range d {
		sum += v
	}
	mean, square := sum/n, 0.0
	for _, v := range d {
		square += float64((v - mean) * (v - mean))
	}
	if len(d) < 2 || mean == 0 {
		return 0
	}
	return max(1-square/(n*(n-1))/float64(mean*mean), 0)
}

// Mean returns the mean of y limited to [lo, hi].
func Mean(y []float32, lo, hi float64) float64 {
	m, _ := clampedMean(y, 0, lo, hi)
	return m
}

// clampedMean returns the mean of clamp(y + shift), and the share of y that the
// clamp lets through.
func clampedMean(y []float32, shift, lo, hi float64) (mean, share float64) {
	sum, inside := 0.0, 0
	for _, v := range y {
		x := float64(v) + shift
		switch {
		case x <= lo:
			x = lo
		case x >= hi:
			x = hi
		case x > lo: // not so for NaN
			inside++
		}
		sum += x
	}
	n := float64(len(y))
	return sum / n, float64(inside) / n
}
