package octavo_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/wire/proto"
)

// saveFolder names the folder in which this binary, started as a child, saves
// models under one name until it is killed.
const saveFolder = "OCTAVO_SAVE_CHILD"

const (
	saveKills   = 50
	fewestKills = 10
	saveBudget  = 40 * time.Second
	saveSide    = 7200 // a matrix of saveSide × saveSide float32 takes 207 MB
)

// TestKilledSave kills a process at random moments while it saves two models
// of 207 MB in turn under one name, and looks at what the name leads to.
func TestKilledSave(t *testing.T) {
	if dir := os.Getenv(saveFolder); dir != "" {
		saveForever(t, dir)
	}
	if testing.Short() {
		t.Skip("writes 207 MB many times")
	}
	begun := time.Now()
	dir := t.TempDir()
	for i, name := range inputNames {
		writeMatrix(t, filepath.Join(dir, name), uint64(i))
	}
	target := filepath.Join(dir, "saved", "model.onnx")
	if err := os.Mkdir(filepath.Dir(target), 0o755); err != nil {
		t.Fatal(err)
	}
	whole := map[[sha256.Size]byte]int{} // what Save makes of each input
	var spent time.Duration
	for i, name := range inputNames {
		start := time.Now()
		resave(t, filepath.Join(dir, name), target)
		spent = time.Since(start)
		whole[sum(t, target)] = i
	}
	if len(whole) != len(inputNames) {
		t.Fatal("the two models are saved as the same bytes")
	}

	random := rand.New(rand.NewPCG(3, 4))
	kills, left, replaced := 0, 0, 0
	var last os.FileInfo
	for k := range saveKills {
		// A slow disk ends the series early, and the log says so.
		if k >= fewestKills && time.Since(begun) > saveBudget {
			break
		}
		kills++
		killSaving(t, dir, time.Duration(random.Int64N(int64(2*spent))))
		info, err := os.Stat(target)
		if err != nil {
			t.Fatalf("kill %d: %v", k, err)
		}
		// Save never writes into a file that has its name: the same file with
		// the same time and size holds what it held.
		if last == nil || !os.SameFile(last, info) || !last.ModTime().Equal(info.ModTime()) || last.Size() != info.Size() {
			if _, ok := whole[sum(t, target)]; !ok {
				t.Fatalf("kill %d: %d bytes that are neither the old nor the new model", k, info.Size())
			}
			replaced++
		}
		last = info
		n := temporaries(t, filepath.Dir(target))
		if n > 1 {
			t.Fatalf("kill %d: %d temporaries: the run before was not cleaned up", k, n)
		}
		left += n
	}
	t.Logf("%d kills: %d left a temporary, %d came after a new file", kills, left, replaced)
	if left == 0 || replaced < 2 {
		t.Errorf("the kills left %d temporaries and met %d new files: too few to show anything", left, replaced)
	}
	resave(t, filepath.Join(dir, inputNames[0]), target)
	if n := temporaries(t, filepath.Dir(target)); n != 0 {
		t.Errorf("%d temporaries after a run to the end", n)
	}
	if i, ok := whole[sum(t, target)]; !ok || i != 0 {
		t.Error("the last run saved other bytes than the first")
	}
}

var inputNames = []string{"a.onnx", "b.onnx"}

// killSaving starts a child and kills it some time after its first save began.
func killSaving(t *testing.T, dir string, after time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledSave$")
	cmd.Env = append(os.Environ(), saveFolder+"="+dir)
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		time.Sleep(after)
	}
	if e := cmd.Process.Kill(); e != nil {
		t.Fatal(e)
	}
	if cmd.Wait(); err != nil || line != "saving\n" || trouble.Len() > 0 {
		t.Fatalf("the child said %q (%v): %s", line, err, &trouble)
	}
}

func saveForever(t *testing.T, dir string) {
	var models []*octavo.Model
	for _, name := range inputNames {
		m, err := octavo.Load(filepath.Join(dir, name))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		models = append(models, m)
	}
	fmt.Println("saving")
	for i := 0; ; i++ {
		if err := models[i%len(models)].Save(filepath.Join(dir, "saved", "model.onnx")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func resave(t *testing.T, from, to string) {
	t.Helper()
	m, err := octavo.Load(from)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Save(to); err != nil {
		t.Fatal(err)
	}
}

func sum(t *testing.T, path string) (s [sha256.Size]byte) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	h.Sum(s[:0])
	return s
}

// temporaries counts the files of a folder that are not the model.
func temporaries(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".tmp") {
			n++
		} else if e.Name() != "model.onnx" {
			t.Fatalf("the folder holds %s", e.Name())
		}
	}
	return n
}

// writeMatrix writes an ONNX model that multiplies its input by a random
// matrix.
func writeMatrix(t *testing.T, path string, seed uint64) {
	t.Helper()
	var weight, node, g, opset, m proto.Message
	weight.Varint(1, saveSide)
	weight.Varint(1, saveSide)
	weight.Varint(2, 1) // float
	weight.String(8, "w")
	random := rand.NewPCG(seed, 0)
	data := make([]byte, 4*saveSide*saveSide)
	for i := 0; i < len(data); i += 8 {
		binary.LittleEndian.PutUint64(data[i:], random.Uint64())
	}
	weight.Bytes(9, data)
	node.String(1, "x")
	node.String(1, "w")
	node.String(2, "y")
	node.String(3, "product")
	node.String(4, "MatMul")
	g.Message(1, &node)
	g.String(2, "g")
	g.Message(5, &weight)
	g.Message(11, matrixInfo("x"))
	g.Message(12, matrixInfo("y"))
	opset.Varint(2, 17)
	m.Varint(1, 8)
	m.Message(7, &g)
	m.Message(8, &opset)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := m.WriteTo(f); err != nil {
		t.Fatal(err)
	}
}

// matrixInfo declares a value of type float32[1,saveSide].
func matrixInfo(name string) *proto.Message {
	var v, typ, tensor, shape proto.Message
	for _, n := range []uint64{1, saveSide} {
		var dim proto.Message
		dim.Varint(1, n)
		shape.Message(1, &dim)
	}
	tensor.Varint(1, 1)
	tensor.Message(2, &shape)
	typ.Message(1, &tensor)
	v.String(1, name)
	v.Message(2, &typ)
	return &v
}
