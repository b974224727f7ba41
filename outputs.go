package octavo

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/dataset"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	engine "github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// outputs are the values of one output for a row of samples, as files hold
// them: a folder with NAME/00000.npy for each sample or NAME.npy for all, an
// .npz with an array of that name, or an .npy of all.
type outputs struct {
	d    *dataset.Dataset
	name string
}

// openOutputs finds the values of the output called name ("": the first) of
// the float model p at path; n is how many samples they are of, 0 if not known.
func openOutputs(path string, p *engine.Program, name string, n int) (*outputs, error) {
	values := p.Outputs()
	i := slices.IndexFunc(values, func(v *ir.Value) bool { return v.Name == name || name == "" })
	if i < 0 {
		var names []string
		for _, v := range values {
			names = append(names, v.Name)
		}
		return nil, diag.Usagef("the float model has no output %q", name).Note("outputs: %s", strings.Join(names, ", "))
	}
	v := values[i]
	if v.Shape == nil {
		return nil, diag.Usagef("%s: output %q of the float model has no known rank", path, v.Name)
	}
	in := dataset.Input{Name: v.Name, Type: dtype.Float32}
	if v.Type.IsInteger() {
		in.Type = v.Type
	}
	for k, d := range v.Shape {
		size, ok := d.Int()
		if !ok {
			size = -1
			if k == 0 {
				size = 1 // samples are judged one by one
			}
		}
		in.Shape = append(in.Shape, size)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	file := path
	if info.IsDir() {
		if file, err = outputsIn(path, v.Name); err != nil {
			return nil, err
		}
	}
	d, err := dataset.Open([]dataset.Path{{Name: v.Name, Path: file}}, dataset.Spec{Inputs: []dataset.Input{in}})
	if err != nil {
		return nil, &diag.Error{Kind: diag.Usage, Msg: "outputs of " + path, Err: err,
			Notes: []string{fmt.Sprintf("wanted: values of the output %q, one array of all samples or one .npy a sample, as octavo run writes them", v.Name)}}
	}
	if n > 0 && d.Len() != n {
		d.Close()
		return nil, diag.Usagef("%s holds outputs of %d samples, but %d are judged", path, d.Len(), n).
			Note("--samples N chooses as octavo run --samples N does")
	}
	return &outputs{d, v.Name}, nil
}

// outputsIn returns where the folder dir holds the values of an output.
func outputsIn(dir, name string) (string, error) {
	file := OutputFile(name)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	for _, f := range []string{file, file + ".npy"} {
		if _, err := root.Stat(f); err == nil {
			return filepath.Join(dir, f), nil
		}
	}
	return "", diag.Usagef("%s holds no outputs called %q", dir, name).Note("wanted: %s/00000.npy for each sample, or %s.npy", file, file)
}

// at returns the output of the i-th sample.
func (o *outputs) at(i int) (*tensor.Tensor, error) {
	if i >= o.d.Len() {
		return nil, fmt.Errorf("there are outputs of %d samples only", o.d.Len())
	}
	in, err := o.d.At(i)
	if err != nil {
		return nil, err
	}
	return in[o.name], nil
}

// Close releases the files.
func (o *outputs) Close() error { return o.d.Close() }

// OutputFile is the name of the file or folder that holds the values of an
// output: its name without what file systems do not take.
func OutputFile(name string) string {
	file := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
	if file == "" || file == "." || file == ".." {
		return "_"
	}
	return file
}
