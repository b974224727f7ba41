package preprocess

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/octavo-ml/octavo/internal/diag"
)

// maxText bounds files and metadata that hold a definition, in bytes.
const maxText = 1 << 20

// Parse reads a definition as YAML, strictly: an unknown key is an error with
// the nearest known one, and so are words and sizes that are not understood.
func Parse(b []byte) (*Definition, error) {
	if len(b) > maxText {
		return nil, diag.Usagef("preprocessing: %d bytes are no definition; at most %d are read", len(b), maxText)
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, yamlError(err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, diag.Usagef("preprocessing: more than one document")
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, diag.Usagef("preprocessing: want keys and values, such as %q", "resize: 256")
	}
	for i := 0; i < len(doc.Content[0].Content); i += 2 {
		key := doc.Content[0].Content[i]
		if key.Tag != "!!merge" && !knownKey(key.Value) {
			return nil, unknownWord(fmt.Sprintf("preprocessing: line %d: key", key.Line), key.Value, keys())
		}
	}
	var d Definition
	if err := doc.Decode(&d); err != nil {
		return nil, yamlError(err)
	}
	d.Mean, d.Std = nilIfEmpty(d.Mean), nilIfEmpty(d.Std)
	if _, err := d.parse(); err != nil {
		return nil, err
	}
	return &d, nil
}

func nilIfEmpty(v []float64) []float64 {
	if len(v) == 0 {
		return nil
	}
	return v
}

func yamlError(err error) error {
	return diag.Usagef("preprocessing: %s", strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", " "), "yaml: "))
}

func keys() []string {
	t := reflect.TypeFor[Definition]()
	var out []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		out = append(out, name)
	}
	return out
}

func knownKey(name string) bool {
	for _, k := range keys() {
		if k == name {
			return true
		}
	}
	return false
}

// Encode returns the one-line form that stands in a model's metadata: JSON,
// keys in the order of the fields, what is left out left out.
func (d *Definition) Encode() (string, error) {
	if _, err := d.parse(); err != nil {
		return "", err
	}
	b, err := json.Marshal(d)
	return string(b), err
}

// Decode is the inverse of [Definition.Encode].
func Decode(s string) (*Definition, error) { return Parse([]byte(s)) }
