package atomicfile

import (
	"fmt"
	"strings"
)

// Group is files that are replaced together: a main file, such as a model, and
// those that it refers to, such as its weights.
//
// File systems rename one file at a time, so the guarantee is this: every file
// is wholly old or wholly new; nothing is replaced before all of them are on
// the disk; the main file is replaced last, when the others lastingly are. So
// wherever the main file is new, the others are new. A kill between two
// renames can leave it old beside others that are new.
type Group struct {
	path  string // of the main file
	main  string // what path leads to
	files []*File
}

// NewGroup returns a group whose main file will be path. It makes no file yet;
// a path that cannot be written to is an error as in the function Create.
func NewGroup(path string) (*Group, error) {
	target, _, err := resolve(path)
	if err != nil {
		return nil, (&File{path: path}).wrap(err)
	}
	return &Group{path: path, main: target}, nil
}

// Create begins one of the files, the main file among them; see the function
// Create.
func (g *Group) Create(path string) (*File, error) {
	f, err := Create(path)
	if err != nil {
		return nil, err
	}
	for _, o := range g.files {
		if o.target == f.target {
			f.Discard()
			return nil, fmt.Errorf("%s: is written twice", path)
		}
	}
	g.files = append(g.files, f)
	return f, nil
}

// Removed is how many leftover temporaries were removed for all files.
func (g *Group) Removed() int {
	n := 0
	for _, f := range g.files {
		n += f.Removed
	}
	return n
}

// Commit replaces all targets, the main file last and the others in the order
// in which they were created. After an error the files that were not replaced
// are as they were; the error names those that were.
func (g *Group) Commit() error {
	defer g.Discard()
	var order, last []*File
	for _, f := range g.files {
		if err := f.settle(); err != nil {
			return err
		}
		if f.target == g.main {
			last = append(last, f)
		} else {
			order = append(order, f)
		}
	}
	if len(last) == 0 {
		return fmt.Errorf("%s: was not created in its group", g.path)
	}
	var done []string
	for _, f := range append(order, last...) {
		if err := f.rename(); err != nil {
			if len(done) > 0 {
				err = fmt.Errorf("%w (replaced already: %s)", err, strings.Join(done, ", "))
			}
			return err
		}
		done = append(done, f.path)
	}
	return nil
}

// Discard gives up all files that are not committed.
func (g *Group) Discard() {
	for _, f := range g.files {
		f.Discard()
	}
}
