package runtime

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// packedNet has weights of each packed form: a convolution, a depthwise one, a
// product of floats and one of bytes. Equal seeds give equal nets.
func packedNet(seed int) *ir.Graph {
	b := newNet()
	for range seed {
		b.r.Uint64()
	}
	one, wide := grid{0.1, 3, dtype.Uint8}, op.New[op.Conv]()
	wide.Group = 20
	x := b.input(1, 16, 9, 9)
	y := b.node(op.New[op.Conv](), x, b.constant(b.floats(0.1, 20, 16, 3, 3)))
	y = b.node(wide, y, b.constant(b.floats(0.3, 20, 1, 3, 3)))
	y = b.reshape(y, 1, 500)
	y = b.node(op.New[op.MatMul](), y, b.weight(false, 500, 70))
	y = b.round(b.node(op.New[op.MatMul](), b.round(y, one), b.weight(true, 70, 30)), one)
	b.g.Outputs = []*ir.Value{y}
	return b.g
}

// runPacked compiles g over the folder and runs it once.
func runPacked(t testing.TB, g *ir.Graph, dir string) (*Program, Tensors) {
	t.Helper()
	p, err := Compile(g, Options{Threads: 2, PackCache: dir})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(context.Background(), randomInputs(p))
	if err == nil {
		err = p.PackError()
	}
	if err != nil {
		t.Fatal(err)
	}
	return p, out
}

func sameTensors(t testing.TB, what string, got, want Tensors) {
	t.Helper()
	for name, w := range want {
		if !tensor.Equal(got[name], w) {
			t.Errorf("%s: output %q is %v, want %v", what, name, got[name], w)
		}
	}
}

// mapped reports whether all that p holds packed lies in its file.
func (p *Program) mapped() bool {
	m := p.weights.store.maps
	if len(m) == 0 || len(p.weights.held) == 0 {
		return false
	}
	for _, b := range p.weights.held {
		if !overlaps(b, m[len(m)-1].Bytes()) {
			return false
		}
	}
	return true
}

// packedFiles returns the files of the folder.
func packedFiles(t testing.TB, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestPackedWeightsAreKept: the first program writes them, and runs on the
// file's pages already; the second packs nothing.
func TestPackedWeightsAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	_, want := runPacked(t, packedNet(1), "")
	p, got := runPacked(t, packedNet(1), dir)
	sameTensors(t, "first", got, want)
	files := packedFiles(t, dir)
	if len(files) != 1 || !p.mapped() || len(p.weights.held) != 5 {
		t.Fatalf("files %q; mapped: %v; %d packings, want a file and 5", files, p.mapped(), len(p.weights.held))
	}
	before, err := os.Stat(files[0])
	if err != nil {
		t.Fatal(err)
	}
	p, got = runPacked(t, packedNet(1), dir)
	sameTensors(t, "second", got, want)
	after, err := os.Stat(files[0])
	if err != nil || !os.SameFile(before, after) || !p.mapped() {
		t.Errorf("the second program wrote the file anew, or has not mapped it: %v, %v", p.mapped(), err)
	}
	_, other := runPacked(t, packedNet(2), "")
	_, got = runPacked(t, packedNet(2), dir)
	sameTensors(t, "other weights", got, other)
	if files := packedFiles(t, dir); len(files) != 2 {
		t.Errorf("%d files for two models", len(files))
	}
}

// TestSourceStandsForConstants: where the caller names the numbers, another name
// is another model.
func TestSourceStandsForConstants(t *testing.T) {
	dir := t.TempDir()
	for i, source := range []string{"a", "b", "a"} {
		p, err := Compile(packedNet(1), Options{PackCache: dir, Source: []byte(source)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Run(context.Background(), randomInputs(p)); err != nil {
			t.Fatal(err)
		}
		if files := packedFiles(t, dir); len(files) != min(i+1, 2) {
			t.Errorf("after source %d: %d files", i, len(files))
		}
	}
}

// TestSpoiledPackFilesAreWrittenAnew: whatever lies in the file's place, the
// outputs are right, and the next program maps a good one.
func TestSpoiledPackFilesAreWrittenAnew(t *testing.T) {
	dir := t.TempDir()
	g := packedNet(1)
	_, want := runPacked(t, g, dir)
	file := packedFiles(t, dir)[0]
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	id := packID(good[32:64])
	sections, err := parsePack(good, id)
	if err != nil {
		t.Fatal(err)
	}
	some := map[string][]byte{}
	for name, b := range sections {
		if some[name] = b; len(some) == 2 {
			break
		}
	}
	short := map[string][]byte{}
	for name, b := range sections {
		short[name] = b[:len(b)/2]
	}
	stale := bytes.Clone(good)
	binary.LittleEndian.PutUint32(stale[8:], packVersion+1)
	for what, bad := range map[string][]byte{
		"empty": nil, "cut in the table": good[:120], "cut by a byte": good[:len(good)-1],
		"noise": bytes.Repeat([]byte("noise"), 1000), "of another version": withSum(stale),
		"of other weights": packFile(t, packID{1}, sections), "with some sections": packFile(t, id, some),
		"with short sections": packFile(t, id, short), "without sections": packFile(t, id, nil),
	} {
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		p, got := runPacked(t, g, dir)
		sameTensors(t, what, got, want)
		again, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found, err := parsePack(again, id)
		if err != nil || !p.mapped() {
			t.Fatalf("%s: it is left as %v, mapped: %v", what, err, p.mapped())
		}
		for name, b := range sections {
			if !bytes.Equal(found[name], b) {
				t.Errorf("%s: section %q differs", what, name)
			}
		}
	}
}

// TestPackFileThatShrinks is cut while it is mapped: an error of the run, and no
// crash.
func TestPackFileThatShrinks(t *testing.T) {
	dir := t.TempDir()
	g := packedNet(1)
	runPacked(t, g, dir)
	p, err := Compile(g, Options{Threads: 1, PackCache: dir})
	if err != nil {
		t.Fatal(err)
	}
	in := randomInputs(p)
	if err := os.Truncate(packedFiles(t, dir)[0], 0); err != nil {
		t.Skip(err) // where a mapped file cannot be cut
	}
	if _, err := p.Run(context.Background(), in); !errors.Is(err, tensor.ErrFileChanged) {
		t.Errorf("a run over a file that was cut: %v", err)
	}
	_, got := runPacked(t, g, dir)
	_, want := runPacked(t, g, "")
	sameTensors(t, "after it", got, want)
}

// TestPackFileThatCannotBeWritten: the run goes on, and says so.
func TestPackFileThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	g := packedNet(1)
	p, err := Compile(g, Options{PackCache: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(p.weights.store.path, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	in := randomInputs(p)
	_, want := runPacked(t, g, "")
	for range 2 {
		got, err := p.Run(context.Background(), in)
		if err != nil || p.PackError() == nil {
			t.Fatalf("run: %v, cache: %v", err, p.PackError())
		}
		sameTensors(t, "without a file", got, want)
	}
	if _, err := Compile(g, Options{PackCache: filepath.Join(p.weights.store.path, "in the way", "\x00")}); err == nil {
		t.Error("a folder that cannot be made is taken")
	}
}

// TestManyShareAPackFile runs programs of two models over one folder at the same
// time, all of which find nothing there.
func TestManyShareAPackFile(t *testing.T) {
	dir := t.TempDir()
	var want [2]Tensors
	for i := range want {
		_, want[i] = runPacked(t, packedNet(i), "")
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, got := runPacked(t, packedNet(i%2), dir)
			sameTensors(t, fmt.Sprint(i), got, want[i%2])
		})
	}
	wg.Wait()
	if files := packedFiles(t, dir); len(files) != 2 {
		t.Errorf("the folder holds %q", files)
	}
	for i := range want {
		if p, _ := runPacked(t, packedNet(i), dir); !p.mapped() {
			t.Errorf("model %d: not all is mapped", i)
		}
	}
}

// TestMorePackingsAreAdded: a plan that
// packs more adds that to what the file has.
func TestMorePackingsAreAdded(t *testing.T) {
	dir := t.TempDir()
	g := packedNet(1)
	p, _ := runPacked(t, g, dir)
	n := len(p.weights.store.sections)
	for node := range p.weights.store.at {
		p.weights.get(node, "another form", 3, func(dst []float32) { dst[1] = 5 })
		break
	}
	if !p.weights.keep() || p.weights.keep() {
		t.Error("a new packing is kept once")
	}
	if got := len(p.weights.store.sections); got != n+1 || !p.mapped() {
		t.Errorf("%d sections, want %d", got, n+1)
	}
	if len(p.weights.store.maps) != 2 {
		t.Error("the file that earlier plans read from is not kept")
	}
}
