package quant

import (
	"slices"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/quant/algo"
	"github.com/octavo-ml/octavo/internal/quant/observe"
	"github.com/octavo-ml/octavo/internal/target"
)

// Words of recipes that the code compares with.
const (
	AutoObserver  = "auto" // tries the methods of candidates, takes the best
	ExistingError = "error"
	ExistingKeep  = "keep"
	ExistingStrip = "strip"
	NoAlgorithm   = "none" // plain rounding
	formQDQ       = "qdq"
	formQOperator = "qoperator"
	perChannel    = "channel"
	perTensor     = "tensor"
	perRow        = "row"
	perGroup      = "group"
	precFloat     = "float"
	precInt8      = "int8"
	precW8A8      = "w8a8"
	precW8A16     = "w8a16"
	precW4A16     = "w4a16"
	precW4A8      = "w4a8"

	parityONNXRuntime = "onnxruntime"
)

// DefaultObserver is the measured best (docs/numerics.md).
const DefaultObserver = AutoObserver

// vocabulary is the table of the keys that take fixed words, by their path in
// a recipe. Checks, errors and docs/recipe.md read it.
var vocabulary = []struct {
	key   string
	words diag.Words
}{
	{"mode", diag.Words{Known: []string{string(Auto), string(Static), string(Dynamic), string(WeightOnly), string(Float16), string(BFloat16)}}},
	{"target", diag.Words{Known: append([]string{DefaultTarget}, slices.DeleteFunc(target.Names(), func(n string) bool { return n == DefaultTarget })...)}},
	{"activations.dtype", diag.Words{Known: typesOf(func(t *target.Target) []string { return t.Activations.Types }), Unbuilt: unbuiltTypes, Instead: integers}},
	{"activations.granularity", diag.Words{Known: []string{perTensor, perRow}}},
	{"activations.observer", diag.Words{Known: append([]string{AutoObserver}, observe.Names()...)}},
	{"weights.dtype", diag.Words{Known: typesOf(weightTypes), Unbuilt: unbuiltTypes, Instead: integers}},
	{"weights.granularity", diag.Words{Known: []string{perChannel, perTensor, perGroup + ":N"}}},
	{"weights.algorithm", diag.Words{Known: []string{RTN, MSEClip, HQQ, GPTQ, AWQ}}},
	{"algorithms", diag.Words{Known: append(algo.Names(), NoAlgorithm), Unbuilt: []string{"adaround"}, Instead: []string{
		"gptq chooses integers layer by layer, with the inputs that the quantized layers before give"}}},
	{"overrides.precision", diag.Words{Known: []string{precW8A8, precInt8, precFloat, string(Float16), string(BFloat16), string(Dynamic), string(WeightOnly), precW8A16, precW4A16, precW4A16 + ":gN", precW4A8}}},
	{"overrides.observer", diag.Words{Known: observe.Names()}},
	{"parity", diag.Words{Known: []string{parityONNXRuntime}, Unbuilt: []string{"tflite", "pytorch"}}},
	{"existing", diag.Words{Known: []string{ExistingError, ExistingKeep, ExistingStrip}}},
	{"onnx-form", diag.Words{Known: []string{formQDQ, formQOperator}}},
	{"io", diag.Words{Known: []string{ioFloat, "uint8", "int8", "uint16", "int16"}, Unbuilt: []string{"float16", "bfloat16"}}},
	{"io-layout", diag.Words{Known: []string{ioKeep, ioChannelsLast}}},
}

var (
	unbuiltTypes = []string{"float16", "bfloat16"}
	integers     = []string{"--mode float16 and --mode bfloat16 make weights so, and what is computed with them"}
)

// weightTypes are those that a target takes in any mode.
func weightTypes(t *target.Target) []string {
	types := slices.Clone(t.Weights.Types)
	for _, m := range t.Modes {
		types = append(types, m.Types...)
	}
	return types
}

// typesOf returns the element types that targets accept, those of the default
// target first.
func typesOf(types func(*target.Target) []string) []string {
	var out []string
	for _, name := range append([]string{DefaultTarget}, target.Names()...) {
		t, err := target.Load(name)
		if err != nil {
			panic(err) // targets are embedded, and tests load them all
		}
		for _, typ := range types(t) {
			if !slices.Contains(out, typ) {
				out = append(out, typ)
			}
		}
	}
	return out
}

// WordsOf returns the words that a key takes, by its path in a recipe such as
// "weights.granularity"; none where it takes no fixed words.
func WordsOf(key string) diag.Words {
	for _, row := range vocabulary {
		if row.key == key {
			return row.words
		}
	}
	return diag.Words{}
}

// checkWord checks what a key holds; empty is the default. what names it in
// errors.
func checkWord(key, what, word string) error {
	if word == "" {
		return nil
	}
	return WordsOf(key).Check(what, word)
}
