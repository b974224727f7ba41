package tflite

import (
	"fmt"
	"strings"
)

// namer gives out names, each once: it counts how often a base was asked for.
type namer map[string]int

// name returns base, or base with a number behind it where it is taken.
func (n namer) name(base string) string {
	if base == "" {
		base = "tensor"
	}
	name := base
	for n.taken(name) {
		n[base]++
		name = fmt.Sprintf("%s_%d", base, n[base])
	}
	n[name] = 0
	return name
}

func (n namer) taken(name string) bool { _, ok := n[name]; return ok }

// integersOf is what quantizers put behind the name of a value for its integers.
const integersOf = "_QuantizeLinear_Output"

// call gives each tensor a name of its own: inputs and outputs keep theirs, and
// the integers of a value are called by its name, where no other tensor is.
func (e *encoder) call() {
	names, called := namer{}, map[*outTensor]bool{}
	set := func(x *outTensor, base string) {
		if !called[x] {
			x.name, called[x] = names.name(base), true
		}
	}
	for _, list := range [][]int32{e.inputs, e.outputs} {
		for _, i := range list {
			set(e.tensors[i], e.tensors[i].name)
		}
	}
	for _, x := range e.tensors {
		if !strings.HasSuffix(x.name, integersOf) {
			set(x, x.name)
		}
	}
	for _, x := range e.tensors {
		if base := strings.TrimSuffix(x.name, integersOf); !names.taken(base) {
			set(x, base)
		}
		set(x, x.name)
	}
}
