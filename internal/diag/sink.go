package diag

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// Warning is something that the user should know and that stops nothing.
type Warning struct {
	ID    string   `json:"id"` // a row of KnownWarnings
	Msg   string   `json:"message"`
	Notes []string `json:"notes,omitempty"`
}

func (w Warning) String() string { return w.ID + ": " + w.Msg }

// Action is what a Sink does with a warning.
type Action uint8

// The actions.
const (
	Show    Action = iota // keep it and print it
	Silence               // forget it
	Fail                  // keep it, print it, and count it as an error
)

// Sink collects warnings and prints them as they come. Its methods may be
// called from many goroutines. The zero value shows all warnings and prints
// nowhere.
type Sink struct {
	mu      sync.Mutex
	w       io.Writer
	actions map[string]Action
	given   []Warning
}

// NewSink returns a sink that prints to w; nil: nowhere.
func NewSink(w io.Writer) *Sink { return &Sink{w: w} }

// Set chooses the action for the warnings with these ids, or for all with the
// id "all"; the last call wins. An id that does not exist is a usage error,
// and then nothing is set.
func (s *Sink) Set(a Action, ids ...string) error {
	var set []string
	for _, id := range ids {
		switch id = strings.ToUpper(id); {
		case id == "ALL":
			for _, k := range known {
				set = append(set, k.ID)
			}
		case isKnown(id):
			set = append(set, id)
		default:
			return unknownID(id)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.actions == nil {
		s.actions = map[string]Action{}
	}
	for _, id := range set {
		s.actions[id] = a
	}
	return nil
}

func unknownID(id string) error {
	var ids []string
	for _, k := range known {
		ids = append(ids, k.ID)
	}
	return Usagef("no warning has the id %q", id).Suggest(id, append(ids, "all"), "").Note("ids are OCT001 to %s, and all", ids[len(ids)-1])
}

// Warn gives warnings. One that was given before in the same words is dropped.
// An id that is not in the table is a mistake of the caller, and panics.
func (s *Sink) Warn(ws ...Warning) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range ws {
		if !isKnown(w.ID) {
			panic(fmt.Sprintf("diag: warning %q is not in the table", w.ID))
		}
		if s.actions[w.ID] == Silence || slices.ContainsFunc(s.given, w.same) {
			continue
		}
		s.given = append(s.given, w)
		if s.w == nil {
			continue
		}
		word := "warning "
		if s.actions[w.ID] == Fail {
			word = "error "
		}
		// A warning that cannot be printed is still in Warnings.
		_ = write(s.w, word+w.String(), w.Notes)
	}
}

func (w Warning) same(o Warning) bool { return w.ID == o.ID && w.Msg == o.Msg }

// Warnings returns what was given and not silenced, in order.
func (s *Sink) Warnings() []Warning {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.given)
}

// Err returns an error if warnings were given that are set to Fail, else nil.
func (s *Sink) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var failed []string
	for _, w := range s.given {
		if s.actions[w.ID] == Fail {
			failed = append(failed, w.String())
		}
	}
	switch len(failed) {
	case 0:
		return nil
	case 1:
		return &Error{Msg: "a warning counts as an error: " + failed[0]}
	}
	return &Error{Msg: fmt.Sprintf("%d warnings count as errors", len(failed)), Notes: failed}
}
