package runtime_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/cpu"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// allIdentities is the variable that makes TestEveryModelHasOneResult run the
// larger models, and every way of compiling on every level.
const allIdentities = "OCTAVO_TEST_IDENTITY"

// identityBatch is how many samples are run together and one by one. It is odd,
// so that kernels have rows left over.
const identityBatch = 5

// largeSample is from how many elements on two samples are enough: kernels have
// many rows then, and plain Go takes minutes.
const largeSample = 1 << 14

// TestEveryModelHasOneResult runs each model on each instruction set that this
// processor has, on one thread, two and three, its samples together and one by
// one, and compares every bit of every output with plain Go on one thread.
func TestEveryModelHasOneResult(t *testing.T) {
	// Threads beyond the processors are threads too.
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(4))
	all := os.Getenv(allIdentities) != ""
	files, least := modelFiles(t, filepath.Join("..", "..", "testdata")), 1
	if shared := modelFiles(t, filepath.Join("..", "..", "..", "shared", "fixtures")); len(shared) > 0 {
		files, least = append(files, shared...), 90
	} else {
		t.Log("the fixtures are not here: only the models of testdata are run")
	}
	if all {
		files = append(files, modelFiles(t, filepath.Join("..", "..", "..", "shared", "models"))...)
	}
	levels, ran, batched := levelsHere(), 0, 0
	for i, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			g := preparedFile(t, path)
			d := identity{t: t, g: g, in: inputsFor(t, g)}
			if n := batchOf(g); n > 0 {
				fixed, _ := g.Clone()
				for _, v := range fixed.Inputs {
					v.Shape[0] = op.Size(n)
				}
				d.in = inputsFor(t, fixed)
				batched++
			}
			want, err := d.run("generic", d.in, runtime.Options{Threads: 1})
			if err != nil {
				t.Skip(err)
			}
			ran++
			threads := []int{1, 2, 3}
			if testing.Short() {
				threads = []int{1 + i%3}
			}
			for _, level := range levels {
				for _, n := range threads {
					if level == "generic" && n < 3 && len(threads) > 1 {
						continue // one thread is what all is compared with
					}
					d.check(fmt.Sprintf("%s, %d threads", level, n), level, want, runtime.Options{Threads: n})
				}
				d.alone(level, want)
			}
			d.variants(levels, want, i, all)
		})
	}
	t.Logf("levels %s: %d models, %d in batches", strings.Join(levels, ", "), ran, batched)
	if ran < least {
		t.Errorf("%d models ran, want at least %d", ran, least)
	}
}

// identity is a model whose runs are compared.
type identity struct {
	t  *testing.T
	g  *ir.Graph
	in runtime.Tensors
}

// run runs the model on a level.
func (d *identity) run(level string, in runtime.Tensors, o runtime.Options) (runtime.Tensors, error) {
	restore, err := cpu.Override(level)
	if err != nil {
		d.t.Fatal(err)
	}
	defer restore()
	p, err := runtime.Compile(d.g, o)
	if err != nil {
		return nil, err
	}
	return p.Run(context.Background(), in)
}

func (d *identity) check(what, level string, want runtime.Tensors, o runtime.Options) {
	d.t.Helper()
	got, err := d.run(level, d.in, o)
	if err != nil {
		d.t.Errorf("%s: %v", what, err)
	}
	for name, w := range want {
		if err == nil && !tensor.Equal(got[name], w) {
			d.t.Errorf("%s: output %q is %v, want %v", what, name, got[name], w)
		}
	}
}

// alone runs the samples of a batch one by one.
func (d *identity) alone(level string, want runtime.Tensors) {
	n := batchOf(d.g)
	restore, err := cpu.Override(level)
	if err != nil {
		d.t.Fatal(err)
	}
	defer restore()
	p, err := runtime.Compile(d.g, runtime.Options{Threads: 1})
	if err != nil {
		d.t.Fatal(err)
	}
	for i := range n {
		in := runtime.Tensors{}
		for name, x := range d.in {
			in[name] = sample(d.t, x, i, n)
		}
		got, err := p.Run(context.Background(), in)
		if err != nil {
			d.t.Fatalf("%s, sample %d alone: %v", level, i, err)
		}
		for name, w := range want {
			if !tensor.Equal(got[name], sample(d.t, w, i, n)) {
				d.t.Errorf("%s, sample %d alone: output %q differs", level, i, name)
			}
		}
	}
}

// variants compiles in other ways: those that keep integers against the result,
// and those of floats against plain Go's floats. Without all, each model has
// one of them.
func (d *identity) variants(levels []string, want runtime.Tensors, turn int, all bool) {
	floats, err := d.run("generic", d.in, runtime.Options{Threads: 1, NoInteger: true})
	if err != nil {
		d.t.Fatal(err)
	}
	var keep []string
	for _, v := range d.g.Values() {
		if v.Const == nil && v.Type == dtype.Float32 {
			keep = append(keep, v.Name)
		}
	}
	list := []struct {
		name string
		want runtime.Tensors
		o    runtime.Options
	}{
		{"channels where they are", want, runtime.Options{KeepLayout: true}},
		{"floats", floats, runtime.Options{NoInteger: true}},
		{"floats, every value watched", floats, runtime.Options{NoInteger: true, Keep: keep}},
		{"floats, node by node", floats, runtime.Options{NoFusion: true}},
		{"packed weights from a file", want, runtime.Options{PackCache: d.t.TempDir()}},
	}
	for i, v := range list {
		for j, level := range levels {
			if v.o.Threads = 2; all || i == turn%len(list) && j == len(levels)-1 {
				d.check(v.name+", "+level, level, v.want, v.o)
			}
		}
	}
}

// levelsHere returns the instruction sets that may be chosen here.
func levelsHere() []string {
	var out []string
	for _, name := range strings.Fields("generic avx2 avxvnni avx512 vnni amx neon dotprod i8mm") {
		if restore, err := cpu.Override(name); err == nil {
			restore()
			out = append(out, name)
		}
	}
	return out
}

// modelFiles returns the ONNX files under a folder, none where it is missing.
func modelFiles(t *testing.T, root string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(path, ".onnx") {
			out = append(out, path)
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return out
}

// batchOf returns how many samples a model may be given at once, 0 where its
// inputs and outputs do not share a dynamic first dimension, or where a number
// is taken from all samples together.
func batchOf(g *ir.Graph) int {
	var batch op.Dim
	for i, v := range append(append([]*ir.Value(nil), g.Inputs...), g.Outputs...) {
		if len(v.Shape) == 0 {
			return 0
		}
		if _, known := v.Shape[0].Int(); known || i > 0 && !v.Shape[0].Same(batch) {
			return 0
		}
		batch = v.Shape[0]
	}
	for _, n := range g.Nodes {
		if strings.HasPrefix(n.Op.Name(), "Dynamic") {
			return 0
		}
	}
	for _, v := range g.Inputs {
		if shape, ok := v.Shape[1:].Ints(); ok {
			if n, _ := tensor.Count(shape); n >= largeSample {
				return 2
			}
		}
	}
	return identityBatch
}

// sample returns part i of n along the first axis.
func sample(t *testing.T, x *tensor.Tensor, i, n int) *tensor.Tensor {
	t.Helper()
	shape := append([]int(nil), x.Shape()...)
	if len(shape) == 0 || shape[0]%n != 0 {
		t.Fatalf("%v is not %d samples", x, n)
	}
	shape[0] /= n
	size := len(x.Bytes()) / n
	y, err := tensor.FromBytes(x.Type(), shape, x.Bytes()[i*size:(i+1)*size])
	if err != nil {
		t.Fatal(err)
	}
	return y
}
