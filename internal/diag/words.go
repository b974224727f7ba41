package diag

import (
	"slices"
	"strings"
)

// Suggest adds to e the names nearest to word, then all of them after what,
// such as "known"; no list where what is empty.
func (e *Error) Suggest(word string, names []string, what string) *Error {
	for _, n := range Nearest(word, names) {
		e.Note("did you mean %s?", n)
	}
	if what != "" && len(names) > 0 {
		e.Note("%s: %s", what, strings.Join(names, ", "))
	}
	return e
}

// Words are those that a flag or a key takes.
type Words struct {
	Known []string // those that work, the default first
	// Unbuilt have a meaning and no code in this release. What follows a colon
	// is a parameter: group:N stands for group:32 and group.
	Unbuilt []string
	// Instead says, in notes, what works in the place of those.
	Instead []string
}

// Check returns nil if word is known, else an error of kind usage that begins
// with what and says which words work. A word that is not built yet is told
// from one that means nothing.
func (w Words) Check(what, word string) error {
	if slices.Contains(w.Known, word) {
		return nil
	}
	if w.IsUnbuilt(word) {
		e := Usagef("%s %s is not built in this release", what, word)
		e.Notes = append(e.Notes, w.Instead...)
		return e.Note("known: %s", strings.Join(w.Known, ", "))
	}
	e := Usagef("%s %q is not known", what, word)
	all := append(slices.Clone(w.Known), w.Unbuilt...)
	for _, n := range Nearest(word, all) {
		if slices.Contains(w.Known, n) {
			e.Note("did you mean %s?", n)
		} else {
			e.Note("did you mean %s? It is not built in this release", n)
		}
	}
	return e.Note("known: %s", strings.Join(w.Known, ", "))
}

// IsUnbuilt reports whether word has a meaning and no code in this release.
func (w Words) IsUnbuilt(word string) bool {
	name, parameter, given := strings.Cut(word, ":")
	return slices.ContainsFunc(w.Unbuilt, func(u string) bool {
		stem, _, takes := strings.Cut(u, ":")
		return stem == name && (takes && parameter != "" || !given)
	})
}
