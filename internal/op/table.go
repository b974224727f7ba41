package op

import (
	"fmt"
	"reflect"
	"slices"
)

// Entry is one line of the catalogue.
type Entry struct {
	// Domain is "" for ai.onnx.
	Domain string
	Name   string
	make   func() Op
}

// New returns the operator with default attributes.
func (e Entry) New() Op { return e.make() }

func row[T any, P interface {
	*T
	Op
}](domain string) Entry {
	return Entry{domain, P(new(T)).Name(), func() Op {
		p := P(new(T))
		setDefaults(reflect.ValueOf(p).Elem())
		return p
	}}
}

// microsoft is the domain of ONNX Runtime's own operators.
const microsoft = "com.microsoft"

// Table returns the catalogue of operators.
func Table() []Entry {
	return slices.Concat(tableElementwise, tableShape, tableNeural, tableAttention, tableQuantized, tableSignal, tableText, tableTraining, tableControl)
}

var byName = func() map[string]Entry {
	m := map[string]Entry{}
	for _, e := range Table() {
		if _, dup := m[e.Name]; dup {
			panic("op: " + e.Name + " stands twice in the catalogue")
		}
		m[e.Name] = e
	}
	return m
}()

// ByName returns the operator of that name with default attributes.
func ByName(name string) (Op, error) {
	e, ok := byName[name]
	if !ok {
		return nil, fmt.Errorf("op: unknown operator %q", name)
	}
	return e.New(), nil
}
