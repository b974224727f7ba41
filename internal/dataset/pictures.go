package dataset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/octavo-ml/octavo/internal/dataset/picture"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// pictureEndings are those of the files that count as pictures in a folder.
var pictureEndings = []string{".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}

// companions are the endings of files that may lie beside pictures unsaid.
var companions = []string{".csv", ".txt", ".json", ".jsonl", ".yaml", ".yml", ".md", ".xml"}

// maxPicture is how long the file of a picture may be.
const maxPicture = 1 << 30

func isPicture(name string) bool {
	return slices.Contains(pictureEndings, strings.ToLower(path.Ext(name)))
}

func isPictureFile(b []byte) bool {
	_, ok := picture.Sniff(b[:min(len(b), picture.SniffLen)])
	return ok
}

// pictures are files of pictures, one sample each. They are decoded when they
// are asked for.
type pictures struct {
	in    Input
	where string // the folder, as the user named it
	open  func(name string) (fs.File, error)
	names []string // with "/" between folders
	make  func(Input, []byte) (*tensor.Tensor, error)
}

// badPicture is a file that is no picture, or a broken one.
type badPicture struct {
	path string
	err  error
}

func (e *badPicture) Error() string { return e.path + ": " + e.err.Error() }
func (e *badPicture) Unwrap() error { return e.err }

// readBuffers are reused: at most one is in use for each worker.
var readBuffers sync.Pool

func (p *pictures) sample(i int) (*tensor.Tensor, error) {
	file := filepath.Join(p.where, filepath.FromSlash(p.names[i]))
	buf, _ := readBuffers.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	defer readBuffers.Put(buf)
	if err := p.read(buf, p.names[i]); err != nil {
		if link, le := os.Readlink(file); le == nil {
			err = &diag.Error{Msg: fmt.Sprintf("a link to %s, which is not there or outside the folder", link),
				Notes: []string{"links out of a folder are not followed; a list of files, --data @list.txt, may name any"}}
		}
		return nil, &badPicture{file, err}
	}
	t, err := p.make(p.in, *buf)
	var misfit *diag.Error
	if errors.As(err, &misfit) && misfit.Kind == diag.Usage {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err != nil {
		return nil, &badPicture{file, err}
	}
	return t, nil
}

// read reads the file called name into buf, which grows as needed.
func (p *pictures) read(buf *[]byte, name string) error {
	f, err := p.open(name)
	if err != nil {
		return pathless(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return pathless(err)
	}
	switch size := info.Size(); {
	case !info.Mode().IsRegular():
		return errors.New("not a regular file")
	case size > maxPicture:
		return fmt.Errorf("%d bytes; pictures may have at most %d", size, maxPicture)
	case int64(cap(*buf)) < size:
		*buf = make([]byte, size)
	default:
		*buf = (*buf)[:size]
	}
	_, err = io.ReadFull(f, *buf)
	return pathless(err)
}

// pathless takes the path out of an error that will get a better one.
func pathless(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// pictureFiles lists the pictures below a folder of root, links to outside not
// among them, in the order of the bytes of their names.
func pictureFiles(root *os.Root, folder string) ([]string, error) {
	var names []string
	err := fs.WalkDir(root.FS(), folder, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !e.IsDir() && isPicture(name) && !hidden(name) {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

func hidden(name string) bool { return strings.HasPrefix(path.Base(name), ".") }

// addPictures appends pictures to the column of their input.
func (o *opener) addPictures(p Path, pics *pictures) error {
	name := p.Name
	if name == "" {
		var err error
		if name, err = o.onlyInput(p.Path); err != nil {
			return err
		}
	}
	in, err := o.input(p.Path, name)
	if err != nil {
		return err
	}
	pics.in, pics.make = *in, o.d.spec.Picture
	return o.append(name, part{source: pics, n: len(pics.names)})
}

// pictureFolder adds the pictures of a folder: those in it, or those of its
// sub-folders, each of which is a class then. It reports false where there
// are none.
func (o *opener) pictureFolder(p Path, entries []os.DirEntry) (bool, error) {
	var flat, folders, aside []string
	for _, e := range entries {
		switch name := e.Name(); {
		case hidden(name):
		case e.IsDir():
			folders = append(folders, name)
		case isPicture(name):
			flat = append(flat, name)
		case !slices.Contains(companions, strings.ToLower(path.Ext(name))):
			aside = append(aside, name)
		}
	}
	if len(flat) == 0 && len(folders) == 0 {
		return false, nil
	}
	root, err := os.OpenRoot(p.Path)
	if err != nil {
		return false, err
	}
	pics := &pictures{where: p.Path, names: flat, open: func(name string) (fs.File, error) { return root.Open(name) }}
	o.d.roots = append(o.d.roots, root)
	if len(flat) == 0 {
		if pics.names, err = o.classFolders(p, root, folders); err != nil || len(pics.names) == 0 {
			return false, err
		}
		folders = nil
	}
	if aside = append(aside, folders...); len(aside) > 0 {
		o.warn(diag.Warning{ID: "OCT018", Msg: fmt.Sprintf("%s: %d files or folders beside the pictures are left aside", p.Path, len(aside)), Notes: []string{few(aside)}})
	}
	return true, o.addPictures(p, pics)
}

// classFolders returns the pictures of folders that are classes each, and adds
// the labels.
func (o *opener) classFolders(p Path, root *os.Root, folders []string) ([]string, error) {
	var names, empty []string
	l := labels{classes: []int64{}}
	classes := o.d.spec.ClassNames
	for i, folder := range folders {
		class := i
		files, err := pictureFiles(root, folder)
		if err != nil {
			return nil, err
		}
		if len(classes) > 0 && len(files) > 0 {
			l.named = true
			if class = slices.Index(classes, folder); class < 0 {
				return nil, diag.Usagef("%s: folder %q is none of the %d names of --class-names", p.Path, folder, len(classes)).Suggest(folder, classes, "")
			}
		}
		if len(files) == 0 {
			empty = append(empty, folder)
		}
		names = append(names, files...)
		for range files {
			l.classes = append(l.classes, int64(class))
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	if len(classes) == 0 {
		if o.classFolder != nil && !slices.Equal(o.classFolder, folders) {
			return nil, diag.Usagef("%s: the folders of its classes are not those of the folder before", p.Path).Note("--class-names FILE says which is which class")
		}
		o.classFolder = folders
	}
	if len(empty) > 0 {
		o.warn(diag.Warning{ID: "OCT017", Msg: fmt.Sprintf("%s: %d of %d classes have no sample", p.Path, len(empty), len(folders)), Notes: []string{few(empty)}})
	}
	return names, o.labels.append(l)
}

// picture adds a single picture; pictures one after the other are one source.
func (o *opener) picture(p Path) error {
	name := filepath.ToSlash(p.Path)
	for i := range o.d.columns {
		c := &o.d.columns[i]
		if p.Name != "" && c.in.Name != p.Name || len(c.parts) == 0 {
			continue
		}
		last := &c.parts[len(c.parts)-1]
		if pics, ok := last.source.(*pictures); ok && pics.where == "" {
			pics.names = append(pics.names, name)
			last.n++
			return nil
		}
	}
	return o.addPictures(p, &pictures{names: []string{name}, open: func(name string) (fs.File, error) { return os.Open(filepath.FromSlash(name)) }})
}
