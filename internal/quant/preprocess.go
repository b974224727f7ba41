package quant

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// Preprocess says how pictures become inputs: a preset, a file, or a
// definition written out, which begins with {. In a recipe the definition is a
// mapping. Whoever opens the pictures reads it; here it is carried.
type Preprocess string

// UnmarshalYAML reads a word or a mapping.
func (p *Preprocess) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return n.Decode((*string)(p))
	}
	flow := *n
	flow.Style = yaml.FlowStyle
	b, err := yaml.Marshal(&flow)
	*p = Preprocess(strings.Join(strings.Fields(string(b)), " "))
	return err
}

// MarshalYAML writes what UnmarshalYAML reads.
func (p Preprocess) MarshalYAML() (any, error) {
	if !p.IsDefinition() {
		return string(p), nil
	}
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(p), &n); err != nil {
		return nil, err
	}
	return n.Content[0], nil
}

// IsDefinition tells a definition from the name of a preset or file.
func (p Preprocess) IsDefinition() bool { return strings.HasPrefix(string(p), "{") }
