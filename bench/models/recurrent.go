package main

import "math"

// lstm is two layers of long short-term memory over 100 frames of 80 features,
// as acoustic models have them (Graves et al., "Speech Recognition with Deep
// Recurrent Neural Networks", 2013), and what they say of 29 characters.
func lstm(b *builder) {
	const time, features, cells, characters = 100, 80, 512, 29
	b.value(11, "frames", float32Type, time, 1, features)
	x, in := "frames", features
	for range 2 {
		spread := 1 / math.Sqrt(cells)
		w := b.weight("weight", 0, spread, true, 1, 4*cells, in)
		r := b.weight("recurrence", 0, spread, true, 1, 4*cells, cells)
		c := b.weight("bias", 0, spread, true, 1, 8*cells)
		y := b.node("LSTM", []string{x, w, r, c}, attr{"hidden_size", cells})
		x, in = b.node("Squeeze", []string{y, b.ints(1)}), cells
	}
	b.nodeTo("Identity", []string{b.project(x, cells, characters, 1)}, "characters")
	b.value(12, "characters", float32Type, time, 1, characters)
}
