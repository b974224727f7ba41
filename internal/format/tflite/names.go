package tflite

import "fmt"

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
