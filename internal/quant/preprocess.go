package quant

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/octavo-ml/octavo/internal/dataset/preprocess"
)

// Preprocess says how pictures become inputs: a preset, a file, or a
// definition in its canonical text, which begins with {. In a recipe the
// definition is a mapping.
type Preprocess string

// UnmarshalYAML reads a word or a mapping.
func (p *Preprocess) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return n.Decode((*string)(p))
	}
	b, err := yaml.Marshal(n)
	if err != nil {
		return err
	}
	def, err := preprocess.Parse(b)
	if err != nil {
		return err
	}
	text, err := def.Encode()
	*p = Preprocess(text)
	return err
}

// MarshalYAML writes what UnmarshalYAML reads.
func (p Preprocess) MarshalYAML() (any, error) {
	if !p.IsDefinition() {
		return string(p), nil
	}
	return preprocess.Decode(string(p))
}

// IsDefinition tells a definition from the name of a preset or file.
func (p Preprocess) IsDefinition() bool { return strings.HasPrefix(string(p), "{") }
