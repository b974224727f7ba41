package pass

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/octavo-ml/octavo/internal/ir"
)

var update = flag.Bool("update", false, "write the goldens")

// TestGoldens runs Prepare on in.ir, once as it stands and with shuffled
// nodes, and compares with out.ir.
func TestGoldens(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, p := range prepare {
		known[p.Name] = true
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			if !known[name] {
				t.Errorf("no pass is called %s", name)
			}
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in, want := string(a.Files[0].Data), string(a.Files[1].Data)
			got := prepared(t, in, 0)
			if *update {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			for seed := range uint64(5) {
				if shuffled := prepared(t, in, seed+1); sorted(shuffled) != sorted(got) {
					t.Errorf("with shuffled nodes:\n%s", shuffled)
				}
			}
		})
	}
}

func sorted(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// prepared runs Prepare; a seed other than 0 puts the nodes in another
// topological order first.
func prepared(t *testing.T, text string, seed uint64) string {
	t.Helper()
	g, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if seed != 0 {
		r := rand.New(rand.NewPCG(seed, 0))
		r.Shuffle(len(g.Nodes), func(i, j int) { g.Nodes[i], g.Nodes[j] = g.Nodes[j], g.Nodes[i] })
		if err := g.Sort(); err != nil {
			t.Fatal(err)
		}
	}
	if err := Prepare(g, Options{Verify: true}); err != nil {
		t.Fatal(err)
	}
	return ir.Format(g)
}

func TestEveryPassHasAGolden(t *testing.T) {
	for _, p := range prepare {
		if p.Name == "infer_shapes" || p.Name == "eliminate_dead" {
			continue // seen in all the others
		}
		if _, err := os.Stat(filepath.Join("testdata", p.Name+".txtar")); err != nil {
			t.Errorf("pass %s: %v", p.Name, err)
		}
	}
}

func TestOrderConstraintsHold(t *testing.T) {
	at := map[string]int{}
	for i, p := range prepare {
		at[p.Name] = i + 1
	}
	for _, c := range order {
		if at[c.before] == 0 || at[c.after] == 0 {
			t.Errorf("%s before %s: no such pass", c.before, c.after)
		} else if at[c.before] >= at[c.after] {
			t.Errorf("%s must stand before %s: %s", c.before, c.after, c.why)
		}
	}
}

// TestFoldingIsLimited: a few bytes of file must not ask for terabytes.
func TestFoldingIsLimited(t *testing.T) {
	for name, text := range map[string]string{
		"expand": "graph g\nconst a float32[1] = [1]\nconst s int64[3] = [4000 4000 4000]\ny float32[...] = Expand(a, s)\nz float32[...] = Relu(y)\noutput z",
	} {
		g, err := ir.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := Prepare(g, Options{}); err == nil || !strings.Contains(err.Error(), "limited") {
			t.Errorf("%s: got %v, want an error that names the limit", name, err)
		}
	}
}
