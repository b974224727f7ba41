package octavo

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// inexactTFLite are the integer files whose results are not LiteRT's to the bit.
var inexactTFLite = []string{
	// UNIDIRECTIONAL_SEQUENCE_LSTM runs on real numbers.
	"digits_keras_lstm.fused.int8.pertensor",
}

// TestTFLiteIntegersAreExact holds every element of the int8, uint8 and int16x8
// files to what LiteRT's reference kernels computed.
func TestTFLiteIntegersAreExact(t *testing.T) {
	needFixtures(t)
	files, err := filepath.Glob(filepath.Join(fixtures, "*", "tflite", "*.tflite"))
	if err != nil {
		t.Fatal(err)
	}
	exact := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".tflite")
		if !strings.Contains(name, "int8") && !strings.Contains(name, "int16x8") || slices.Contains(inexactTFLite, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			in := readArray(t, filepath.Join(filepath.Dir(filepath.Dir(file)), "inputs.npy"))
			want := numbersOf(t, readArray(t, strings.TrimSuffix(file, ".tflite")+".ref.npy"))
			got := oneByOne(t, open(t, file), in)
			if !slices.Equal(got, want) {
				off := 0
				for i := range want {
					if got[i] != want[i] {
						off++
					}
				}
				t.Errorf("%d of %d elements differ", off, len(want))
			}
		})
		exact++
	}
	if exact < 17 {
		t.Errorf("%d files, want at least 17", exact)
	}
}
