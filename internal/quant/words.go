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
	precFloat     = "float"

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
	{"mode", diag.Words{Known: []string{string(Auto), string(Static)}, Unbuilt: []string{"dynamic", "weight-only", "float16", "bfloat16"}, Instead: []string{
		"--mode static quantizes weights and activations to 8 bits, with ranges from samples: --data calib/",
		"--mode static --data random needs no samples, and loses more"}}},
	{"target", diag.Words{Known: append([]string{DefaultTarget}, slices.DeleteFunc(target.Names(), func(n string) bool { return n == DefaultTarget })...)}},
	{"activations.dtype", diag.Words{Known: typesOf(func(t *target.Target) []string { return t.Activations.Types }), Unbuilt: unbuiltTypes, Instead: integers}},
	{"activations.observer", diag.Words{Known: append([]string{AutoObserver}, observe.Names()...)}},
	{"weights.dtype", diag.Words{Known: typesOf(func(t *target.Target) []string { return t.Weights.Types }), Unbuilt: unbuiltTypes, Instead: integers}},
	{"weights.granularity", diag.Words{Known: []string{perChannel, perTensor}, Unbuilt: []string{"group:N"}, Instead: []string{
		"channel has the most scales: one for each output channel of a weight"}}},
	{"algorithms", diag.Words{Known: append(algo.Names(), NoAlgorithm), Unbuilt: []string{"adaround", "hqq", "awq"}, Instead: []string{
		"gptq chooses integers layer by layer, with the inputs that the quantized layers before give"}}},
	{"overrides.precision", diag.Words{Known: []string{"w8a8", "int8", precFloat}, Unbuilt: []string{"float16", "bfloat16", "dynamic", "w8a16", "w4a16:gN", "w4a8"}, Instead: []string{
		"float leaves nodes as accurate as they were; w8a8 quantizes weights and activations to 8 bits"}}},
	{"overrides.observer", diag.Words{Known: observe.Names()}},
	{"parity", diag.Words{Known: []string{parityONNXRuntime}, Unbuilt: []string{"tflite", "pytorch"}}},
	{"existing", diag.Words{Known: []string{ExistingError, ExistingKeep, ExistingStrip}}},
	{"onnx-form", diag.Words{Known: []string{formQDQ, formQOperator}}},
	{"io", diag.Words{Known: []string{ioFloat, "uint8", "int8", "uint16", "int16"}, Unbuilt: []string{"float16", "bfloat16"}}},
	{"io-layout", diag.Words{Known: []string{ioKeep, ioChannelsLast}}},
}

var (
	unbuiltTypes = []string{"float16", "bfloat16"}
	integers     = []string{"integers are: octavo targets NAME lists those that a target takes; --keep PATTERN leaves nodes float"}
)

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
