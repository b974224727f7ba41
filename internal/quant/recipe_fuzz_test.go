package quant_test

import (
	"bytes"
	"testing"

	"github.com/octavo-ml/octavo/internal/quant"
)

// FuzzParseRecipe: no input panics, and a recipe that is read says the same
// after being written and read again.
func FuzzParseRecipe(f *testing.F) {
	for _, s := range []string{"", "version: 1\nmode: static\n", "only: [op:Gemm, 'a*']\n", "version: 2\n", "obsrver: mse\n", "overrides:\n- match: a\n  precision: float\n", "only: 3\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := quant.ParseRecipe(b)
		if err != nil {
			return
		}
		once, err := r.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := quant.ParseRecipe(once)
		if err != nil {
			t.Fatalf("written as\n%s\n%v", once, err)
		}
		twice, err := again.YAML()
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("written as\n%s\nthen as\n%s\n%v", once, twice, err)
		}
	})
}
