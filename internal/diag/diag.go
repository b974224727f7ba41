// Package diag is how the tool speaks about trouble: errors that carry notes
// and an exit code, the two errors of every reader of files, and warnings with
// stable ids that can be silenced or made errors.
//
// It knows no model and no file format, and it prints only where it is handed
// a writer. Start at [Error] and [FormatError]; the known warnings are in
// ids.go.
package diag

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Kind says what an error means to the caller of the tool.
type Kind uint8

// The kinds, each with its exit code.
const (
	Failed      Kind = iota // 1: the work could not be done
	Usage                   // 2: the question was wrong
	Gate                    // 3: the work was done, and its result misses a demand
	Interrupted             // 130: stopped from outside
)

// ExitCode returns the exit code of k.
func (k Kind) ExitCode() int {
	switch k {
	case Usage:
		return 2
	case Gate:
		return 3
	case Interrupted:
		return 130
	}
	return 1
}

// Error is an error for the user: the problem in one line, then notes that say
// what would work.
type Error struct {
	Kind  Kind
	Msg   string
	Notes []string
	// Err is the cause. It follows Msg after a colon, or stands alone where
	// Msg is empty.
	Err error
}

func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.Msg
	case e.Msg == "":
		return e.Err.Error()
	}
	return e.Msg + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// ExitCode returns the exit code of e.
func (e *Error) ExitCode() int { return e.Kind.ExitCode() }

// Usagef returns an error of kind Usage. The format may hold %w.
func Usagef(format string, args ...any) *Error {
	return &Error{Kind: Usage, Err: fmt.Errorf(format, args...)}
}

// Note returns e with one note more.
func (e *Error) Note(format string, args ...any) *Error {
	e.Notes = append(e.Notes, fmt.Sprintf(format, args...))
	return e
}

// FormatError says that an input is broken: not what its format allows.
type FormatError struct {
	Where string // the file, and the place in it if that is known
	Msg   string
}

func (e *FormatError) Error() string { return where(e.Where, e.Msg) }

// UnsupportedError says that an input is valid and not handled.
type UnsupportedError struct {
	Where string // the file, node or target
	What  string // the thing: "opset 29", "sparse initializers"
	Hint  string // what would work; may be empty
}

func (e *UnsupportedError) Error() string {
	s := e.What + " not supported"
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return where(e.Where, s)
}

func where(w, s string) string {
	if w == "" {
		return s
	}
	return w + ": " + s
}

// ExitCode returns the exit code that err asks for: 0 for nil, that of the
// outermost Error in its chain, 130 where a context was cancelled, else 1.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	var e *Error
	if errors.As(err, &e) && e.Kind != Failed {
		return e.ExitCode()
	}
	if errors.Is(err, context.Canceled) {
		return Interrupted.ExitCode()
	}
	return Failed.ExitCode()
}

// Notes returns the notes of all errors in err's tree, outermost first.
func Notes(err error) []string {
	var notes []string
	if e, ok := err.(*Error); ok {
		notes = append(notes, e.Notes...)
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		notes = append(notes, Notes(e.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			notes = append(notes, Notes(inner)...)
		}
	}
	return notes
}

// Fprint writes err as the user sees it: the problem, then the notes.
func Fprint(w io.Writer, err error) error {
	return write(w, "error: "+err.Error(), Notes(err))
}

func write(w io.Writer, line string, notes []string) error {
	text := line + "\n"
	for _, n := range notes {
		text += "  note: " + n + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}
