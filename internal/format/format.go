// Package format is what every model file format has in common: how a file is
// recognised and opened, and the shape of a door.
//
// A door translates between bytes and ir.Graph and does nothing else: it runs
// no pass, sees no quantization policy, evaluates no code from a file and
// follows no path out of the model's folder. Doors are in the folders below;
// all of them are listed in format/all. Start at [Format] and [Source].
package format

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Form is what a format can hold; the façade lowers a graph to it before
// Encode.
type Form struct {
	// Integer says that quantized regions are integer operators, not QDQ.
	Integer bool
	// ChannelsLast says that spatial operators are channels-last.
	ChannelsLast bool
}

// Format is a door.
type Format struct {
	Name       string
	Extensions []string // with the dot; the first is used for output names
	// Sniff reports whether the first bytes of a file look like this format.
	Sniff  func(head []byte) bool
	Decode func(src *Source) (*Model, error)
	// Encode is nil for a format that is only read.
	Encode func(g *ir.Graph, o EncodeOptions) (*Encoded, error)
	Form   Form
}

// Model is a decoded file.
type Model struct {
	Graph    *ir.Graph
	Warnings []diag.Warning
}

// DefaultExternalMin is the size from which constants move to a companion
// file: smaller ones are read faster where they are used.
const DefaultExternalMin = 1024

// CompanionName returns the name of the companion file for external data of a
// file with this base name.
func CompanionName(base string) string { return base + ".data" }

// EncodeOptions says how a file is written.
type EncodeOptions struct {
	// Opset is the version to write: 0 keeps the source's, raised where the
	// graph needs more.
	Opset int
	// Name is the file's base name; a companion file for external data is
	// named after it.
	Name string
	// External moves constants into a companion file. It happens by itself
	// where the main file would pass the format's limit.
	External bool
	// ExternalMin is how many bytes a constant must have to be moved; 0 is
	// DefaultExternalMin.
	ExternalMin int64
	// Limit is the most bytes of the main file; 0 is the format's own limit.
	Limit int64
	// Producer and Version are written as what made the file.
	Producer, Version string
}

// Part is a file to write.
type Part struct {
	Name string // base name; "" for the main file
	Size int64
	io.WriterTo
}

// Encoded is a model ready to be written: the main file and its companions.
type Encoded struct {
	Main       Part
	Companions []Part
	Warnings   []diag.Warning
	// Raised says from which version of the operators to which the file was
	// raised, and what needs it; "" where it was not.
	Raised string
}

// Source is a model file that is being read, mapped into memory, with access
// to the files beside it.
type Source struct {
	// Path is what messages call the file.
	Path string
	Main *tensor.Mapping
	root *os.Root
	fsys fs.FS
	dir  string // folder of the model inside fsys
	maps []*tensor.Mapping
	near []string // the files that maps are of, relative to the model's folder
}

// Neighbours returns the files beside the model that it refers to, relative to
// the model's folder, as far as they were opened.
func (s *Source) Neighbours() []string { return s.near }

// Open maps the file at path.
func Open(path string) (*Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := tensor.Map(f)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		m.Close()
		return nil, err
	}
	return &Source{Path: path, Main: m, root: root}, nil
}

// FromBytes returns a source over bytes in memory; name is used in messages.
// It has no neighbours.
func FromBytes(name string, b []byte) *Source {
	return &Source{Path: name, Main: tensor.FromMemory(b)}
}

// FromFS reads the file name of fsys, with its neighbours in the same folder.
func FromFS(fsys fs.FS, name string) (*Source, error) {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	s := FromBytes(name, b)
	s.fsys = fsys
	s.dir = path.Dir(name)
	return s, nil
}

// Neighbour maps a file that the model names, relative to the model's folder.
// Absolute paths, paths that lead out of the folder (by .. or by links), hard
// links and anything but regular files are refused.
func (s *Source) Neighbour(rel string) (*tensor.Mapping, error) {
	if !filepath.IsLocal(filepath.FromSlash(rel)) || strings.Contains(rel, "\\") {
		return nil, errors.New("not a file in the model's own folder; put the data there, and export or convert the model with that name")
	}
	switch {
	case s.fsys != nil:
		b, err := fs.ReadFile(s.fsys, path.Join(s.dir, rel))
		if err != nil {
			return nil, missing(err)
		}
		return s.keep(rel, tensor.FromMemory(b)), nil
	case s.root != nil:
		name := filepath.FromSlash(rel)
		info, err := s.root.Lstat(name)
		if err != nil {
			return nil, missing(err)
		}
		if !info.Mode().IsRegular() || links(info) > 1 {
			return nil, errors.New("a link or no regular file; put a copy of the data there")
		}
		f, err := s.root.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		m, err := tensor.Map(f)
		if err != nil {
			return nil, err
		}
		return s.keep(name, m), nil
	}
	return nil, errors.New("a model read from memory has no folder; give the path of the model file")
}

// missing says of a file that is not there what would work.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: put the file that was exported with the model beside it", fs.ErrNotExist)
	}
	return err
}

func (s *Source) keep(name string, m *tensor.Mapping) *tensor.Mapping {
	s.maps, s.near = append(s.maps, m), append(s.near, name)
	return m
}

// Files returns what was read so far: the main file, and those that it names in
// the order in which they were asked for.
func (s *Source) Files() []*tensor.Mapping { return append([]*tensor.Mapping{s.Main}, s.maps...) }

// Close unmaps all files. Graphs decoded from the source must not be used any
// more.
func (s *Source) Close() error {
	err := s.Main.Close()
	for _, m := range s.maps {
		if e := m.Close(); err == nil {
			err = e
		}
	}
	if s.root != nil {
		if e := s.root.Close(); err == nil {
			err = e
		}
	}
	return err
}
