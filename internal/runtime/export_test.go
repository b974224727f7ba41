package runtime

import (
	"reflect"
	"slices"
)

// Reference returns the operators of the last plan that run by their reference
// meaning.
func (p *Program) Reference() []string {
	var out []string
	for _, s := range p.plans[len(p.plans)-1].steps {
		if s.run != nil && reflect.ValueOf(s.run).Pointer() == reflect.ValueOf(evalStep).Pointer() && !slices.Contains(out, s.node.Op.Name()) {
			out = append(out, s.node.Op.Name())
		}
	}
	return out
}
