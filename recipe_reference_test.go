package octavo_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/dataset/preprocess"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/quant"
	"github.com/octavo-ml/octavo/internal/validate"
)

var update = flag.Bool("update", false, "write docs/recipe.md")

const (
	referenceFile = "docs/recipe.md"
	recipeExample = "testdata/recipe.yaml"
)

// TestRecipeReferenceIsFresh compares docs/recipe.md with what the structs of a
// recipe, their comments and tags, and the tables of words say now.
func TestRecipeReferenceIsFresh(t *testing.T) {
	want := reference(t)
	if *update {
		if err := os.WriteFile(referenceFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil || strings.ReplaceAll(string(got), "\r\n", "\n") != want {
		t.Errorf("%s is not what the structs say (%v): go test . -run Recipe -update writes it", referenceFile, err)
	}
}

// TestRecipeReferenceHolds: examples are recipes, defaults are those of the
// code, and words are tested where they are checked.
func TestRecipeReferenceHolds(t *testing.T) {
	b, err := os.ReadFile(recipeExample)
	if err != nil {
		t.Fatal(err)
	}
	r, err := octavo.ParseRecipe(b)
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		t.Errorf("%s: %v", recipeExample, err)
	}
	defaults := map[string]string{"mode": string(quant.Auto), "target": quant.DefaultTarget, "data.samples": fmt.Sprint(quant.DefaultSamples),
		"activations.observer": quant.DefaultObserver}
	seen := 0
	for _, k := range recipeKeys(t) {
		if k.section {
			continue
		}
		seen++
		if k.doc == "" || k.fallback == "" || k.example == "" {
			t.Errorf("%s: a comment, a default and an example are wanted, got %q, %q, %q", k.path, k.doc, k.fallback, k.example)
		}
		if want, ok := defaults[k.path]; ok && k.fallback != want {
			t.Errorf("%s: the default is %s, its tag says %s", k.path, want, k.fallback)
		}
		if len(k.words.Known) > 0 && !strings.Contains(k.fallback, " ") && k.fallback != "none" && !slices.Contains(k.words.Known, k.fallback) {
			t.Errorf("%s: the default %s is none of its words %v", k.path, k.fallback, k.words.Known)
		}
		text := k.example
		for _, name := range slices.Backward(strings.Split(k.path, ".")) {
			text = "{" + name + ": " + text + "}"
			if name == "overrides" {
				text = strings.Replace(text, ": {", `: [{match: "*", `, 1)
				text = strings.Replace(text, `match: "*", match: `, "match: ", 1)
				text = text[:len(text)-1] + "]}"
			}
		}
		if k.path == "weights.algorithm" { // has no meaning without a mode
			text = text[:len(text)-1] + ", mode: weight-only}"
		}
		r, err := octavo.ParseRecipe([]byte(text))
		if err == nil {
			err = r.Check()
		}
		if err != nil {
			t.Errorf("%s: the example %s: %v %q", k.path, text, err, diag.Notes(err))
		}
	}
	if seen < 30 {
		t.Errorf("%d keys were found", seen)
	}
}

// recipeKey is a key of a recipe as its reference shows it.
type recipeKey struct {
	path, kind, doc   string
	fallback, example string // tags: what counts without the key, and a value
	words             diag.Words
	section           bool // keys stand below it
}

// recipeKeys returns the keys in the order of the structs.
func recipeKeys(t *testing.T) []recipeKey {
	docs := fieldComments(t, "internal/quant/recipe.go", "internal/dataset/preprocess/definition.go")
	var keys []recipeKey
	var walk func(typ reflect.Type, below string)
	walk = func(typ reflect.Type, below string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			k := recipeKey{path: below + name, kind: kindOf(f.Type), doc: docs[typ.Name()+"."+f.Name], fallback: f.Tag.Get("default"), example: f.Tag.Get("example")}
			k.words = quant.WordsOf(k.path)
			switch {
			case k.path == "evaluate.task":
				k.words = validate.Tasks
			case k.path == "preprocess":
				k.words = diag.Words{Known: octavo.Presets()}
			case below == "preprocess.":
				k.words = diag.Words{Known: preprocess.Words(name)}
			}
			inner := f.Type
			if inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			k.section = inner.Kind() == reflect.Struct
			keys = append(keys, k)
			switch {
			case k.section:
				walk(inner, k.path+".")
			case f.Type == reflect.TypeFor[quant.Preprocess]():
				walk(reflect.TypeFor[preprocess.Definition](), k.path+".")
			}
		}
	}
	walk(reflect.TypeFor[quant.Recipe](), "")
	return keys
}

// kindOf says for people what a key holds.
func kindOf(t reflect.Type) string {
	if t == reflect.TypeFor[quant.Preprocess]() {
		return "text or keys"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true, false"
	case reflect.Int, reflect.Uint64:
		return "whole number"
	case reflect.Float64:
		return "number"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return "list of keys"
		}
		return "list: " + kindOf(t.Elem())
	}
	return "keys"
}

// fieldComments returns the comments of the fields of all structs in files, in
// one line each, by "Struct.Field".
func fieldComments(t *testing.T, files ...string) map[string]string {
	docs := map[string]string{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range s.Fields.List {
					for _, id := range field.Names {
						docs[spec.Name.Name+"."+id.Name] = strings.Join(strings.Fields(field.Doc.Text()), " ")
					}
				}
			}
			return true
		})
	}
	return docs
}

const referenceHead = `<!-- Written by go test . -run Recipe -update, from the structs of a recipe: change those. -->
# Recipes

A recipe is a YAML file that says how a model is quantized and how the result is judged: what the flags of [quantize](commands/quantize.md) say, to be kept and shared. All keys may be left out. A key that does not exist is an error that names the nearest one; so is a word that a key does not take. Flags override the file, and paths in it are relative to it.

%s

`

const referenceMiddle = "```\n" + `octavo quantize model.onnx --recipe recipe.yaml
octavo validate model.onnx model.int8.onnx --recipe recipe.yaml
octavo quantize model.onnx --target tensorrt --keep op:Gemm --print-recipe
` + "```" + `

The last command prints what flags say as a recipe. "Not built" are words that have a meaning and are refused by this release.

`

// reference returns the text of docs/recipe.md.
func reference(t *testing.T) string {
	example, err := os.ReadFile(recipeExample)
	if err != nil {
		t.Fatal(err)
	}
	yaml := "```yaml\n" + strings.ReplaceAll(string(example), "\r\n", "\n") + "```"
	var b strings.Builder
	fmt.Fprintf(&b, referenceHead, yaml)
	b.WriteString(referenceMiddle)
	var sections []string
	rows := map[string]*strings.Builder{}
	titles := map[string]string{"": "The keys"}
	for _, k := range recipeKeys(t) {
		section, name, nested := cutLast(k.path)
		if !nested {
			section, name = "", k.path
		}
		if rows[section] == nil {
			sections, rows[section] = append(sections, section), &strings.Builder{}
		}
		fmt.Fprintf(rows[section], "| `%s` | %s | %s | %s | %s |\n", name, k.kind, values(k), k.doc, shown(k.example))
		if titles[k.path] = "`" + k.path + "`"; k.kind == "list of keys" {
			titles[k.path] += ", each of the list"
		}
	}
	for i, s := range sections {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "## %s\n\n| key | type | values, the default first | meaning | example |\n|---|---|---|---|---|\n%s", titles[s], rows[s])
	}
	return b.String()
}

func cutLast(path string) (section, name string, nested bool) {
	i := strings.LastIndex(path, ".")
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// values lists what a key takes, the default first.
func values(k recipeKey) string {
	if k.section {
		return "[below](#" + k.path + ")"
	}
	var out []string
	if slices.Contains(k.words.Known, k.fallback) || !strings.Contains(k.fallback, " ") && k.fallback != "none" {
		out = append(out, shown(k.fallback))
	} else {
		out = append(out, k.fallback)
	}
	for _, w := range k.words.Known {
		if w != k.fallback {
			out = append(out, shown(w))
		}
	}
	text := strings.Join(out, ", ")
	if out[0] == k.fallback && len(out) > 1 {
		text = out[0] + "; " + strings.Join(out[1:], ", ")
	}
	if len(k.words.Unbuilt) > 0 {
		text += "; not built: " + strings.Join(k.words.Unbuilt, ", ")
	}
	return text
}

func shown(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}
