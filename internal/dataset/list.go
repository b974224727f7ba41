package dataset

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
)

// listed is an entry of a list of files.
type listed struct {
	line int
	text string
}

// parseList reads a list of files: one a line, empty lines and lines that
// begin with # left out.
func parseList(where string, b []byte) ([]listed, error) {
	if bytes.IndexByte(b, 0) >= 0 {
		return nil, &diag.FormatError{Where: where, Msg: "not a list of files: it holds a zero byte"}
	}
	var out []listed
	for i, line := range strings.Split(string(bytes.TrimPrefix(b, utf8Mark)), "\n") {
		text := strings.TrimSpace(line)
		switch {
		case text == "" || text[0] == '#':
		case text[0] == '@':
			return nil, diag.Usagef("%s:%d: a list inside a list", where, i+1).Note("give each with a --data of its own")
		default:
			out = append(out, listed{i + 1, text})
		}
	}
	if len(out) == 0 {
		return nil, &diag.Error{Msg: where + ": the list names no files"}
	}
	return out, nil
}

// list adds the files of a list, whose paths are relative to its folder.
func (o *opener) list(p Path) error {
	where := p.Path[1:]
	b, err := os.ReadFile(where)
	if err != nil {
		return err
	}
	entries, err := parseList(where, b)
	if err != nil {
		return err
	}
	for _, e := range entries {
		q := Path{p.Name, e.text}
		if q.Name == "" {
			q = ParsePath(e.text, o.d.spec)
		}
		if q.Path = filepath.FromSlash(q.Path); !filepath.IsAbs(q.Path) {
			q.Path = filepath.Join(filepath.Dir(where), q.Path)
		}
		if err := o.path(q); err != nil {
			return fmt.Errorf("%s:%d: %w", where, e.line, err)
		}
	}
	return nil
}
