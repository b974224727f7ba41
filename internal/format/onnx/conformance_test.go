package onnx_test

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/format/onnx/onnxtest"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

var update = flag.Bool("update", false, "rewrite the lists of testdata")

// suites are the collections of cases, each with the list of those that fail
// and the number that must pass: what passes today must not stop passing by way
// of the list.
var suites = []struct {
	name  string
	cases func(testing.TB) []*onnxtest.Case
	list  string
	floor int
}{
	{"node", onnxtest.Cases, "testdata/unsupported.txt", 1799},
	{"models", models, "testdata/unsupported_models.txt", 0},
}

// models are the cases of the suites of small models: ONNX's own, and what
// PyTorch's old exporter wrote, at opset 6 and older.
func models(t testing.TB) []*onnxtest.Case {
	var out []*onnxtest.Case
	for _, suite := range []string{"simple", "pytorch-operator", "pytorch-converted"} {
		out = append(out, onnxtest.Models(t, suite)...)
	}
	return out
}

// rewritten are the opsets that every passing graph is written at.
var rewritten = []int{0, 13, 17, 21}

// TestConformance runs the cases of ONNX's backend tests through the operators'
// reference meaning. Cases that fail stand with their reason in the suite's
// list, which must be neither too long nor too short.
func TestConformance(t *testing.T) {
	for _, suite := range suites {
		t.Run(suite.name, func(t *testing.T) {
			conform(t, suite.cases(t), suite.list, suite.floor)
		})
	}
}

func conform(t *testing.T, cases []*onnxtest.Case, list string, floor int) {
	listed := readUnsupported(t, list)
	failed := map[string]string{}
	var passed []string
	tally := map[string]int{}
	for _, c := range cases {
		err := run(c, tally)
		switch {
		case err == nil:
			passed = append(passed, c.Name)
		case errors.As(err, new(*mismatch)):
			t.Errorf("%s: %v", c.Name, err)
		default:
			failed[c.Name] = reason(err)
		}
	}
	if *update {
		writeUnsupported(t, list, failed)
		listed = failed
	}
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		if _, ok := listed[name]; !ok {
			t.Errorf("%s fails and is not in %s: %s", name, list, failed[name])
		}
	}
	for _, name := range passed {
		if _, ok := listed[name]; ok {
			t.Errorf("%s passes and stands in %s: run the test with -update", name, list)
		}
	}
	if len(passed) < floor {
		t.Errorf("%d cases pass, want at least %d", len(passed), floor)
	}
	t.Logf("%d of %d cases pass", len(passed), len(cases))
	for _, line := range classes(failed) {
		t.Log(line)
	}
	for _, k := range slices.Sorted(maps.Keys(tally)) {
		t.Logf("written again: %5d %s", tally[k], k)
	}
}

// mismatch is a failure of writing and reading again, which no list excuses.
type mismatch struct{ error }

// run checks all sets of a case, and that the graph survives being written.
func run(c *onnxtest.Case, tally map[string]int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &mismatch{fmt.Errorf("panic: %v", p)}
		}
	}()
	m, err := onnx.Decode(format.FromBytes("model", c.Model))
	if err != nil {
		return err
	}
	g := m.Graph
	if err := ir.Infer(g); err != nil {
		return fmt.Errorf("infer: %w", err)
	}
	for _, set := range c.Sets {
		in, err := set.Inputs(g)
		if err != nil {
			return err
		}
		want, err := set.Outputs(g)
		if err != nil {
			return err
		}
		got, err := ir.Eval(g, in)
		if err != nil {
			return err
		}
		if len(got) != len(want) {
			return fmt.Errorf("got %d outputs, want %d", len(got), len(want))
		}
		for i := range want {
			if draws(g) {
				// ONNX: another implementation need not draw the same numbers,
				// even from the same seed.
				if err := alike(got[i].Tensor, want[i].Tensor); err != nil {
					return fmt.Errorf("output %d: %w", i, err)
				}
			} else if err := onnxtest.Same(got[i], want[i]); err != nil {
				return fmt.Errorf("output %d: %w", i, err)
			}
			if err := fits(g.Outputs[i].Fact, got[i].Tensor); err != nil {
				return fmt.Errorf("infer: output %d: %w", i, err)
			}
		}
		for _, opset := range rewritten {
			if err := again(g, opset, in, got, tally); err != nil {
				return &mismatch{fmt.Errorf("written at opset %d: %w", opset, err)}
			}
		}
	}
	return nil
}

// draws reports whether a result of g depends on random numbers. Those of
// Dropout are those of ONNX's reference and are compared.
func draws(g *ir.Graph) bool {
	return slices.ContainsFunc(g.Nodes, func(n *ir.Node) bool {
		_, dropout := n.Op.(*op.Dropout)
		return op.IsRandom(n.Op) && !dropout
	})
}

// alike compares types and shapes.
func alike(got, want *tensor.Tensor) error {
	if got == nil || want == nil || got.Type() != want.Type() || !slices.Equal(got.Shape(), want.Shape()) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	return nil
}

// fits checks a computed value against what was inferred of it.
func fits(f op.Fact, t *tensor.Tensor) error {
	if t == nil || f.Shape == nil {
		return nil
	}
	if f.Type != t.Type() || len(f.Shape) != t.Rank() {
		return fmt.Errorf("inferred %v%v, computed %v%v", f.Type, f.Shape, t.Type(), t.Shape())
	}
	for i, d := range f.Shape {
		if n, ok := d.Int(); ok && n != t.Shape()[i] {
			return fmt.Errorf("inferred %v%v, computed %v%v", f.Type, f.Shape, t.Type(), t.Shape())
		}
	}
	return nil
}

// again writes g at an opset, reads it back and demands the same results; a
// graph that needs a newer opset may say so.
func again(g *ir.Graph, opset int, in, want []op.Datum, tally map[string]int) error {
	enc, err := onnx.Encode(g, format.EncodeOptions{Opset: opset, Name: "model.onnx"})
	if err != nil {
		if strings.Contains(err.Error(), "opset") {
			tally["refused"]++
			return nil
		}
		return err
	}
	m, err := onnx.Decode(format.FromBytes("written", bytesOf(enc.Main)))
	if err != nil {
		return err
	}
	if err := ir.Infer(m.Graph); err != nil {
		return fmt.Errorf("infer: %w", err)
	}
	got, err := ir.Eval(m.Graph, in)
	if err != nil {
		return err
	}
	exact := len(m.Graph.Nodes) == len(g.Nodes)
	for i := range want {
		if !exact {
			if err := onnxtest.Same(got[i], want[i]); err != nil {
				return fmt.Errorf("output %d: %w", i, err)
			}
			continue
		}
		if !identical(got[i], want[i]) {
			return fmt.Errorf("output %d is not the same", i)
		}
	}
	if exact {
		tally["identical"]++
	} else {
		tally["rewritten, within tolerance"]++
	}
	return nil
}

func identical(a, b op.Datum) bool {
	if a.Kind != b.Kind || len(a.Seq) != len(b.Seq) || (a.Tensor == nil) != (b.Tensor == nil) {
		return false
	}
	for i := range a.Seq {
		if !identical(a.Seq[i], b.Seq[i]) {
			return false
		}
	}
	return a.Tensor == nil || tensor.Equal(a.Tensor, b.Tensor)
}

// reason shortens an error to a line of the list.
func reason(err error) string {
	s := strings.Join(strings.Fields(err.Error()), " ")
	s = strings.TrimPrefix(s, "model: ")
	if len(s) > 160 {
		s = strings.ToValidUTF8(s[:160], "") + "…"
	}
	return s
}

var (
	quoted = regexp.MustCompile(`"[^"]*" ?`)
	number = regexp.MustCompile(`[-+0-9.e\[\] ]*[0-9][-+0-9.e\[\] ]*`)
)

// classes counts failures by reason without names and numbers, most first.
func classes(failed map[string]string) []string {
	n := map[string]int{}
	for _, r := range failed {
		n[number.ReplaceAllString(quoted.ReplaceAllString(r, ""), " # ")]++
	}
	keys := slices.SortedFunc(maps.Keys(n), func(a, b string) int {
		if n[a] != n[b] {
			return n[b] - n[a]
		}
		return strings.Compare(a, b)
	})
	for i, k := range keys {
		keys[i] = fmt.Sprintf("%5d %s", n[k], k)
	}
	return keys
}

func readUnsupported(t *testing.T, list string) map[string]string {
	m := map[string]string{}
	f, err := os.Open(list)
	if err != nil {
		if *update {
			return m
		}
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		name, why, ok := strings.Cut(s.Text(), "\t")
		if !ok || why == "" {
			t.Errorf("%s: %q: want case<TAB>reason", list, s.Text())
		}
		m[name] = why
	}
	return m
}

func writeUnsupported(t *testing.T, list string, failed map[string]string) {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		fmt.Fprintf(&b, "%s\t%s\n", name, failed[name])
	}
	if err := os.WriteFile(list, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
