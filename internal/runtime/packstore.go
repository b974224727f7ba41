package runtime

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/octavo-ml/octavo/internal/atomicfile"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// packStore is the file in which a program's packed weights are kept from one
// process to the next. A file that is not there, broken, or of other weights is
// written anew; whoever writes puts a whole file in its place, so that those who
// have the old one mapped keep it, and any number of processes may share one.
type packStore struct {
	path     string
	id       packID
	at       map[*ir.Node]int  // places of the program's nodes
	sections map[string][]byte // of the file, by name
	maps     []*tensor.Mapping // that plans may read from
	lacks    bool              // it was asked for what it has not
	err      error             // why it cannot be written: then it is left alone
}

// openPackStore opens the file for g in the folder dir, which is made. Source
// stands for the numbers of g's constants, and is nil where they are to be read.
func openPackStore(dir string, g *ir.Graph, source []byte) (*packStore, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &packStore{at: map[*ir.Node]int{}}
	err := tensor.Guard(func() (err error) {
		s.id, err = identify(g, source)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, n := range g.Nodes {
		s.at[n] = i
	}
	s.path = filepath.Join(dir, hex.EncodeToString(s.id[:16])+".packed")
	s.open()
	return s, nil
}

// open maps the file and finds its sections, if it has any.
func (s *packStore) open() {
	f, err := os.Open(s.path)
	if err != nil {
		return
	}
	defer f.Close()
	m, err := tensor.Map(f)
	if err != nil {
		return
	}
	var found map[string][]byte
	err = tensor.Guard(func() (err error) {
		found, err = parsePack(m.Bytes(), s.id)
		return err
	})
	if err != nil {
		m.Close()
		return
	}
	s.sections, s.maps = found, append(s.maps, m)
}

// name returns what a packing is called in the file, "" if it is not kept.
func (s *packStore) name(k packKey) string {
	i, ok := s.at[k.node]
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d %s %d", i, k.form, k.bytes)
}

// find returns a packing, if the file has it.
func (s *packStore) find(k packKey) ([]byte, bool) {
	if s == nil {
		return nil, false
	}
	name := s.name(k)
	b, ok := s.sections[name]
	if ok && len(b) == k.bytes {
		return b, true
	}
	s.lacks = s.lacks || name != ""
	return nil, false
}

// missed reports whether the file lacks what could be added.
func (s *packStore) missed() bool { return s != nil && s.lacks && s.err == nil }

// write puts a new file in the place of the old one, of what that has and what
// is held, and maps it.
func (s *packStore) write(held map[packKey][]byte) {
	all := map[string][]byte{}
	for name, b := range s.sections {
		all[name] = b
	}
	for k, b := range held {
		if name := s.name(k); name != "" {
			all[name] = b
		}
	}
	s.err = tensor.Guard(func() error { // the old file may shrink
		f, err := atomicfile.Create(s.path)
		if err != nil {
			return err
		}
		defer f.Discard()
		if err := writePack(f, s.id, all); err != nil {
			return err
		}
		return f.Commit()
	})
	if s.lacks = false; s.err == nil {
		s.open()
	}
}

// identify returns what weights of g are packed of: the build, whose passes and
// kernels decide what is packed, the numbers, and the nodes.
func identify(g *ir.Graph, source []byte) (id packID, err error) {
	h := sha256.New()
	fmt.Fprintf(h, "%d %s\n%x\n", packVersion, build(), source)
	for _, n := range g.Nodes {
		fmt.Fprintf(h, "%T %s\n", n.Op, n.Op.Name())
		for _, vs := range [][]*ir.Value{n.In, n.Out} {
			fmt.Fprintln(h, len(vs))
			for _, v := range vs {
				if v == nil {
					fmt.Fprintln(h)
					continue
				}
				fmt.Fprintf(h, "%q %v %v\n", v.Name, v.Type, v.Shape)
				if source == nil && v.Const != nil {
					err = hashTensor(h, v.Const)
				}
				if err != nil {
					return id, err
				}
			}
		}
	}
	h.Sum(id[:0])
	return id, nil
}

func hashTensor(h hash.Hash, t *tensor.Tensor) error {
	fmt.Fprintln(h, t.Type(), t.Shape())
	if t.Storage() == nil {
		fmt.Fprintf(h, "%q\n", t.Strings())
		return nil
	}
	return t.Storage().Chunks(func(b []byte) error {
		h.Write(b)
		return nil
	})
}

// build names the program that packs.
func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	text := info.Main.Path + " " + info.Main.Version
	for _, d := range info.Deps {
		if d.Path == "github.com/octavo-ml/octavo" {
			text += " " + d.Version
		}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.modified" || s.Key == "GOARCH" {
			text += " " + s.Value
		}
	}
	return text
}
