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
	// Type is what files call it in that domain; Name is what the catalogue
	// does, which differs where two domains mean different things by one type.
	Type, Name string
	make       func() Op
}

// New returns the operator with default attributes.
func (e Entry) New() Op { return e.make() }

func row[T any, P interface {
	*T
	Op
}](domain string) Entry {
	return rowAs[T, P](domain, P(new(T)).Name())
}

// rowAs is a row of an operator that files call typ.
func rowAs[T any, P interface {
	*T
	Op
}](domain, typ string) Entry {
	return Entry{domain, typ, P(new(T)).Name(), func() Op {
		p := P(new(T))
		setDefaults(reflect.ValueOf(p).Elem())
		return p
	}}
}

// microsoft is the domain of ONNX Runtime's own operators.
const microsoft = "com.microsoft"

// Table returns the catalogue of operators.
func Table() []Entry {
	return slices.Concat(tableElementwise, tableShape, tableNeural, tableAttention, tableQuantized, tableSignal, tableText, tableTraining, tableControl, tableContrib)
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

// Domain returns the domain in which files have the operator, "" for ai.onnx.
func Domain(o Op) string {
	if c, ok := o.(*Custom); ok {
		return c.Domain
	}
	return byName[o.Name()].Domain
}
