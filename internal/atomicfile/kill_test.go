package atomicfile_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/octavo-ml/octavo/internal/atomicfile"
)

// childFolder names the folder in which this binary, started as a child,
// replaces files until it is killed.
const childFolder = "OCTAVO_ATOMICFILE_CHILD"

const (
	kills = 30
	words = 16384 // a file is its generation, so many times over
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		fmt.Fprintln(os.Stderr, child(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func content(generation int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%09d\n", generation), words)
}

// child replaces a data file and a model file that refers to it, one
// generation after the other.
func child(dir string) error {
	generation, err := strconv.Atoi(os.Getenv(childFolder + "_FROM"))
	if err != nil {
		return err
	}
	for ; ; generation++ {
		g, err := atomicfile.NewGroup(filepath.Join(dir, "m"))
		if err != nil {
			return err
		}
		for _, name := range []string{"m", "m.data"} {
			f, err := g.Create(filepath.Join(dir, name))
			if err != nil {
				return err
			}
			if f.Removed > 0 {
				fmt.Println("removed", f.Removed)
			}
			for b := content(generation); len(b) > 0; b = b[len(b)/8+1:] {
				if _, err := f.Write(b[:len(b)/8+1]); err != nil {
					return err
				}
			}
		}
		fmt.Println("written")
		if err := g.Commit(); err != nil {
			return err
		}
	}
}

// generation returns that of a file, which must be whole; -1 if there is none.
func generation(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return -1
	}
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(string(b[:min(9, len(b))]))
	if err != nil || !bytes.Equal(b, content(n)) {
		t.Fatalf("%s: %d bytes that are no generation (%v)", path, len(b), err)
	}
	return n
}

func TestKilledAtAnyMoment(t *testing.T) {
	dir := t.TempDir()
	data, model := filepath.Join(dir, "m.data"), filepath.Join(dir, "m")
	random := rand.New(rand.NewPCG(1, 2))
	left, removed := 0, 0
	last := -1
	for k := range kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childFolder+"="+dir, fmt.Sprintf("%s_FROM=%d", childFolder, last+1))
		var trouble bytes.Buffer
		cmd.Stderr = &trouble
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		started := make(chan struct{})
		done := make(chan int)
		go func() {
			n, first := 0, true
			for s := bufio.NewScanner(out); s.Scan(); {
				if text, ok := strings.CutPrefix(s.Text(), "removed "); ok {
					r, _ := strconv.Atoi(text)
					n += r
				} else if first {
					first = false
					close(started)
				}
			}
			if first {
				close(started)
			}
			done <- n
		}()
		<-started
		time.Sleep(time.Duration(random.IntN(20000)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		removed += <-done
		if err := cmd.Wait(); err == nil || trouble.Len() > 0 {
			t.Fatalf("the child ended by itself: %v: %s", err, &trouble)
		}

		d, m := generation(t, data), generation(t, model)
		if d < m || d > m+1 || m < last {
			t.Fatalf("kill %d: data of generation %d, model of %d, before %d", k, d, m, last)
		}
		last = m
		n := strings.Count(names(t, dir), ".tmp")
		if n > 2 {
			t.Fatalf("kill %d: %d temporaries", k, n)
		}
		left += n
	}
	if last < 1 || left == 0 {
		t.Errorf("the kills met %d generations and %d temporaries: too few to show anything", last, left)
	}
	for _, path := range []string{data, model} {
		f, err := atomicfile.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		removed += f.Removed
		f.Discard()
	}
	if n := names(t, dir); n != "m m.data" || removed != left {
		t.Errorf("%d of %d leftovers were removed; the folder holds %q", removed, left, n)
	}
}
