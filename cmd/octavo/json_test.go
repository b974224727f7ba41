package main

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// jsonRuns are commands that together show every key that docs/json.md lists,
// in the order in which they are run in one folder of examples.
var jsonRuns = []struct {
	schema, line string
	code         int
	file         string // where the object is, if not on standard output
}{
	{schema: "octavo.overview/1", line: "model.onnx"},
	{schema: "octavo.overview/1", line: "model.int8.onnx"},
	{schema: "octavo.inspect/1", line: "inspect model.onnx --tensors"},
	{schema: "octavo.inspect/1", line: "inspect model.int8.onnx"},
	{schema: "octavo.inspect/1", line: "inspect steep.onnx"},
	{schema: "octavo.check/1", line: "check model.onnx"},
	{schema: "octavo.check/1", line: "check model.onnx --target tensorrt"},
	{schema: "octavo.check/1", line: "check steep.onnx", code: 3},
	{schema: "octavo.check/1", line: "check device.onnx --target edgetpu"},
	{schema: "octavo.check/1", line: "check cell.onnx --target octavo"},
	{schema: "octavo.targets/1", line: "targets"},
	{schema: "octavo.targets/1", line: "targets onnxruntime-cpu"},
	{schema: "octavo.quantize/1", line: "quantize model.onnx --data calib.npz --keep op:Gemm -o kept.onnx --samples 40"},
	{schema: "octavo.quantize/1", line: "quantize model.onnx --data calib-photos --preprocess unit --samples 40 --observer minmax -o ranged.onnx --save-ranges ranges.json"},
	{schema: "octavo.quantize/1", line: "quantize model.onnx --data calib.npz --samples 40 -o edges.onnx --io in=uint8 --io-layout in=channels-last"},
	{schema: "octavo.quantize/1", line: "quantize kept.onnx --data calib.npz --samples 40 -o more.onnx --existing keep"},
	{schema: "octavo.convert/1", line: "convert model.onnx split.onnx --external-data --simplify"},
	{schema: "octavo.convert/1", line: "convert model.int8.onnx bytes.tflite"},
	{schema: "octavo.quantize/1", line: "quantize model.onnx --data calib.npz --samples 40 --target onnxruntime-cpu -o own.tflite"},
	{schema: "octavo.quantize/1", line: "quantize model.onnx --mode dynamic -o live.onnx"},
	{schema: "octavo.ranges/1", line: "quantize model.onnx --data calib-photos --preprocess unit --samples 40 --observer minmax -o ranged.onnx --save-ranges ranges.json --force", file: "ranges.json"},
	{schema: "octavo.ranges/1", line: "quantize model.onnx --data random --seed 4 -o noise.onnx --save-ranges noise.json --activations int8 --symmetric", file: "noise.json"},
	{schema: "octavo.diff/1", line: "diff model.onnx model.int8.onnx"},
	{schema: "octavo.diff/1", line: "diff model.int8.onnx kept.onnx"},
	{schema: "octavo.diff/1", line: "diff model.int8.onnx ranged.onnx"},
	{schema: "octavo.diff/1", line: "diff steep.onnx other.onnx"},
	{schema: "octavo.diff/1", line: "diff model.int8.onnx model.int8.onnx"},
	{schema: "octavo.validate/1", line: "validate model.onnx model.int8.onnx --data test.npz"},
	{schema: "octavo.validate/1", line: "validate model.onnx model.onnx noise.onnx --data test.npz --no-memory --max-drop 0.5 --min accuracy=1 --report out.json", code: 3},
	{schema: "octavo.validate/1", line: "validate model.onnx noise.onnx --data test.npz --no-memory --report out.json", file: "out.json"},
	{schema: "octavo.validate/1", line: "validate model.onnx model.int8.onnx --data calib.npy --no-memory"},
	{schema: "octavo.validate/1", line: "validate model.onnx model.int8.onnx --data test.npz --task binary --positive 3 --no-memory"},
	{schema: "octavo.explain/1", line: "explain model.onnx model.int8.onnx --data test.npz --samples 5"},
	{schema: "octavo.quantize/1", line: "quantize short.onnx --data four.csv --observer minmax -o short.int8.onnx"},
	{schema: "octavo.explain/1", line: "explain long.onnx short.int8.onnx --data four.csv"},
	{schema: "octavo.quantize/1", line: "quantize model.onnx --data dark.csv -o dark.onnx"},
	{schema: "octavo.validate/1", line: "validate model.onnx dark.onnx --data test.npz --no-memory"},
	{schema: "octavo.validate/1", line: "validate model.onnx model.int8.onnx --data bright.csv --no-memory"},
	{schema: "octavo.validate/1", line: "validate model.onnx model.int8.onnx --data bright.csv --labels three.txt --task binary --positive 3 --no-memory"},
	{schema: "octavo.validate/1", line: "demo"},
	{schema: "octavo.bench/1", line: "bench model.onnx model.int8.onnx --runs 3 --pack-cache packs"},
	{schema: "octavo.run/1", line: "run model.int8.onnx --data test.npz --samples 5 -o outputs"},
	{schema: "octavo.run/1", line: "run model.int8.onnx --input input=sample.npy -o single"},
	{schema: "octavo.validate/1", line: "validate model.onnx --outputs-from outputs --data test.npz --samples 5 --no-memory"},
	{schema: "octavo.man/1", line: "man -o man1"},
	{schema: "octavo.version/1", line: "version"},
	{schema: "octavo.licenses/1", line: "version --licenses"},
}

// jsonFiles are made in that folder first; models from their text.
var jsonFiles = map[string]string{
	"dark.csv":   strings.Repeat("0.001,", 63) + "0\n",
	"bright.csv": strings.Repeat("200,", 63) + "0\n",
	"three.txt":  "3\n",
	"steep.onnx": `input x f4 batch 4
output y f4 batch 4
const w f4 4 4 ramp,0=1000
node first MatMul x w -> h
node second acme:Frobnicate h -> y`,
	"device.onnx": `input x f4 1 1 4 4
output y f4 1 1 4 4
const w f4 1 1 1 1 2
node c1 Conv x w -> c
node hs HardSwish c -> h
node c2 Conv h w -> y`,
	"cell.onnx": `input x f4 3 1 4
output y f4 3 1 1 4
const w f4 1 16 4 ramp
const r f4 1 16 4 ramp
node cell LSTM x w r -> y hidden_size=4`,
	"four.csv": "0.5,0.25,0.75,1\n",
	"short.onnx": `input x f4 batch 4
output h f4 batch 4
const w f4 4 4 ramp
node first MatMul x w -> h`,
	"long.onnx": `input x f4 batch 4
output h f4 batch 4
output y f4 batch 4
const w f4 4 4 ramp
node first MatMul x w -> h
node second MatMul h w -> y`,
	"other.onnx": `input x f4 batch 4
output y f4 batch 4
const w f4 4 4 ramp
const v f4 4 4 ramp
node first MatMul x w -> h
node second MatMul h v -> y`,
}

// TestJSONKeys runs the commands with --json, each of which prints one object
// and nothing else, and compares the keys that they
// print, and the types of their values, with the tables of docs/json.md. Where
// this fails, change the page with the code; where a key goes away or gets
// another type or meaning, the schema gets the next number.
func TestJSONKeys(t *testing.T) {
	documented := jsonTables(t)
	dir := exampleFolder(t)
	for name, text := range jsonFiles {
		b, err := []byte(text), error(nil)
		if filepath.Ext(name) == ".onnx" {
			b, err = buildModel(text)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := jsonKeys{}
	covered := map[string]bool{"completion": true} // refuses --json
	for _, r := range jsonRuns {
		covered[strings.Fields(r.line)[0]] = true
	}
	for _, c := range newRoot(&cli{}).Commands() {
		if !c.Hidden && !covered[c.Name()] {
			t.Errorf("no run of %s", c.Name())
		}
	}
	for _, r := range jsonRuns {
		cmd := octavoIn(t, dir, append(strings.Fields(r.line), "--json")...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run() // the code says what the error would
		if code := cmd.ProcessState.ExitCode(); code != r.code {
			t.Fatalf("octavo %s: exit code %d, want %d\n%s", r.line, code, r.code, &stderr)
		}
		text := stdout.Bytes()
		if r.file != "" {
			var err error
			if text, err = os.ReadFile(filepath.Join(dir, r.file)); err != nil {
				t.Fatal(err)
			}
		}
		d := json.NewDecoder(bytes.NewReader(text))
		var v map[string]any
		if err := d.Decode(&v); err != nil {
			t.Errorf("octavo %s: no JSON object: %v", r.line, err)
			continue
		}
		if _, err := d.Token(); err != io.EOF {
			t.Errorf("octavo %s: more than one object", r.line)
		}
		if v["schema"] != r.schema {
			t.Errorf("octavo %s: schema %v, want %s", r.line, v["schema"], r.schema)
		}
		seen.object(v)
	}
	for schema, keys := range seen {
		for key, types := range keys {
			doc := documented[schema][key]
			for _, typ := range slices.Sorted(maps.Keys(types)) {
				if !slices.Contains(doc, typ) {
					t.Errorf("%s: %s is a %s; docs/json.md says %q", schema, key, typ, doc)
				}
			}
		}
	}
	for schema, keys := range documented {
		for key, types := range keys {
			for _, typ := range types {
				if typ != "null" && !seen[schema][key][typ] {
					t.Errorf("%s: no run shows %s as a %s, which docs/json.md has", schema, key, typ)
				}
			}
		}
	}
}

// jsonKeys holds the types that were seen, by schema and path.
type jsonKeys map[string]map[string]map[string]bool

// object adds the keys of an object that names its schema.
func (k jsonKeys) object(v map[string]any) {
	schema := v["schema"].(string)
	for key, below := range v {
		k.value(schema, key, below)
	}
}

// value adds a value and all keys below it. The elements of a list have its
// path and []; an object inside that names a schema of its own is of that one.
func (k jsonKeys) value(schema, path string, v any) {
	typ := ""
	switch v := v.(type) {
	case map[string]any:
		typ = "object"
		if _, own := v["schema"].(string); own {
			k.object(v)
			break
		}
		for key, below := range v {
			k.value(schema, path+"."+key, below)
		}
	case []any:
		typ = "list"
		for _, e := range v {
			k.value(schema, path+"[]", e)
		}
	case string:
		typ = "string"
	case float64:
		typ = "number"
	case bool:
		typ = "boolean"
	case nil:
		typ = "null"
	}
	if typ == "object" && strings.HasSuffix(path, "[]") {
		return // its keys say it
	}
	if k[schema] == nil {
		k[schema] = map[string]map[string]bool{}
	}
	if k[schema][path] == nil {
		k[schema][path] = map[string]bool{}
	}
	k[schema][path][typ] = true
}

// jsonTables reads docs/json.md: below a heading with a schema's name, rows of
// key, type and meaning.
func jsonTables(t *testing.T) map[string]map[string][]string {
	t.Helper()
	b, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string][]string{}
	schema := ""
	for line := range strings.Lines(string(b)) {
		if head, ok := strings.CutPrefix(line, "## "); ok {
			schema = strings.TrimSpace(head)
		}
		cells := strings.Split(line, " | ")
		key, ok := strings.CutPrefix(cells[0], "| `")
		if !ok || len(cells) != 3 {
			continue
		}
		if out[schema] == nil {
			out[schema] = map[string][]string{}
		}
		for k := range strings.SplitSeq(strings.TrimSuffix(key, "`"), "`, `") {
			if out[schema][k] != nil {
				t.Errorf("docs/json.md: %s lists %s twice", schema, k)
			}
			out[schema][k] = strings.Split(cells[1], " or ")
		}
	}
	return out
}
