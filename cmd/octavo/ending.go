package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/octavo-ml/octavo/internal/diag"
)

// unread is the exit code where standard output went away, as of a program
// that SIGPIPE ended.
const unread = 141

// interruptible returns a context that Ctrl-C, a terminal that goes away and
// SIGTERM cancel. What the caller had ignored stays ignored: nohup means it.
//
// A pipe that nobody reads any more is an error of the write, not the end of
// the program: files are finished, and temporary ones removed.
func interruptible() (context.Context, context.CancelFunc) {
	signal.Ignore(syscall.SIGPIPE)
	var stop []os.Signal
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			stop = append(stop, s)
		}
	}
	if len(stop) == 0 {
		return context.WithCancel(context.Background())
	}
	return signal.NotifyContext(context.Background(), stop...)
}

// plainly puts the errors of the file system in the form of all others, which
// begins with the file, and says where a link leads.
func plainly(err error) error {
	var pe *fs.PathError
	if !errors.As(err, &pe) {
		return err
	}
	text := strings.Replace(err.Error(), pe.Error(), pe.Path+": "+pe.Err.Error(), 1)
	text = strings.Replace(text, pe.Path+": "+pe.Path+": ", pe.Path+": ", 1)
	e := &diag.Error{Msg: text, Notes: diag.Notes(err)}
	if !errors.Is(err, fs.ErrNotExist) {
		return e
	}
	if link, err := os.Readlink(pe.Path); err == nil {
		return e.Note("%s is a symbolic link to %s, which is not there", pe.Path, link)
	}
	dir, base := filepath.Split(pe.Path)
	for _, n := range diag.Nearest(base, namesIn(dir)) {
		e.Note("did you mean %s?", dir+n)
	}
	return e
}

// broken adds to the error of a model that breaks its format what would work.
func broken(err error) error {
	var fe *diag.FormatError
	if !errors.As(err, &fe) {
		return err
	}
	return &diag.Error{Err: err, Notes: []string{"copy it again if its size is not that of the original; else export it again"}}
}

// namesIn lists a folder, "" being the present one, as far as a mistyped name
// is worth it.
func namesIn(dir string) []string {
	if dir == "" {
		dir = "."
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(4096) // those that can be read
	slices.Sort(names)
	return names
}

// end prints why the program ends, and returns its exit code.
func (c *cli) end(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, syscall.EPIPE):
		return unread
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "octavo: interrupted; nothing was left half-written")
		if c.resumable {
			fmt.Fprintln(os.Stderr, "  note: the same command goes on where this one stopped")
		}
		return diag.Interrupted.ExitCode()
	}
	fmt.Fprint(os.Stderr, "octavo: ")
	diag.Fprint(os.Stderr, plainly(err))
	return diag.ExitCode(err)
}
