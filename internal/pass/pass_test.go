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

	"github.com/octavo-ml/octavo/internal/dtype"
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
	for _, p := range edges {
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
			var wishes []Edge // edges that the user asks for, then Prepare
			if len(a.Files) > 2 {
				wishes = edgesOf(t, string(a.Files[2].Data))
			}
			got := prepared(t, in, 0, wishes)
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
				if shuffled := prepared(t, in, seed+1, wishes); sorted(shuffled) != sorted(got) {
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

// edgesOf reads lines of VALUE and a type, channels-last, or both.
func edgesOf(t *testing.T, text string) []Edge {
	t.Helper()
	var out []Edge
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		e := Edge{Value: words[0]}
		for _, w := range words[1:] {
			if w == "channels-last" {
				e.ChannelsLast = true
				continue
			}
			var err error
			if e.Params.Type, err = dtype.Parse(w); err != nil {
				t.Fatal(err)
			}
		}
		out = append(out, e)
	}
	return out
}

// prepared runs Prepare, or WriteEdges where edges are given; a seed other than 0 puts the nodes in another
// topological order first.
func prepared(t *testing.T, text string, seed uint64, wishes []Edge) string {
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
	if wishes != nil {
		if err := WriteEdges(g, slices.Clone(wishes)); err != nil {
			t.Fatal(err)
		}
		if err := ir.Verify(g); err != nil {
			t.Fatal(err)
		}
		return ir.Format(g)
	}
	if err := Prepare(g, Options{Verify: true}); err != nil {
		t.Fatal(err)
	}
	return ir.Format(g)
}

func TestEveryPassHasAGolden(t *testing.T) {
	var names []string
	for _, p := range prepare {
		if p.Name == "infer_shapes" || p.Name == "eliminate_dead" {
			continue // seen in all the others
		}
		names = append(names, p.Name)
	}
	for _, p := range edges {
		names = append(names, p.Name)
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join("testdata", name+".txtar")); err != nil {
			t.Errorf("pass %s: %v", name, err)
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

// TestFoldingInBodies: what a branch that may never run cannot compute, or asks
// too much memory for, is left to it; the rest is folded.
func TestFoldingInBodies(t *testing.T) {
	g, err := ir.Parse(`graph g
input c bool[]
y float32[...] = If(c)
{
  graph then
  const a float32[2] = [1 2]
  const s int64[1] = [3]
  y float32[...] = Reshape(a, s)
  output y
}
{
  graph else
  const a float32[1] = [1]
  const s int64[3] = [4000 4000 4000]
  x float32[...] = Expand(a, s)
  const b float32[2] = [1 2]
  z float32[2] = Neg(b)
  y float32[...] = Add(x, z)
  output y
}
output y`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := FoldConstants(g); err != nil {
		t.Fatal(err)
	}
	then, other := g.Nodes[0].Bodies[0], g.Nodes[0].Bodies[1]
	if len(then.Nodes) != 1 || len(other.Nodes) != 2 {
		t.Errorf("%d and %d nodes are left, want 1 and 2", len(then.Nodes), len(other.Nodes))
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
