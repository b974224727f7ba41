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

var update = flag.Bool("update", false, "rewrite testdata/unsupported.txt")

const unsupportedFile = "testdata/unsupported.txt"

// floor is the number of cases that must pass: what passes today must not
// stop passing by way of the list.
const floor = 1476

// rewritten are the opsets that every passing graph is written at.
var rewritten = []int{0, 13, 17, 21}

// TestNodeConformance runs the cases of ONNX's backend tests through the
// operators' reference meaning. Cases that fail stand with their reason in
// testdata/unsupported.txt, which must be neither too long nor too short.
func TestNodeConformance(t *testing.T) {
	cases := onnxtest.Cases(t)
	listed := readUnsupported(t)
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
		writeUnsupported(t, failed)
		listed = failed
	}
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		if _, ok := listed[name]; !ok {
			t.Errorf("%s fails and is not in %s: %s", name, unsupportedFile, failed[name])
		}
	}
	for _, name := range passed {
		if _, ok := listed[name]; ok {
			t.Errorf("%s passes and stands in %s: run the test with -update", name, unsupportedFile)
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
			if err := onnxtest.Same(got[i], want[i]); err != nil {
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

func readUnsupported(t *testing.T) map[string]string {
	m := map[string]string{}
	f, err := os.Open(unsupportedFile)
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
			t.Errorf("%s: %q: want case<TAB>reason", unsupportedFile, s.Text())
		}
		m[name] = why
	}
	return m
}

func writeUnsupported(t *testing.T, failed map[string]string) {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		fmt.Fprintf(&b, "%s\t%s\n", name, failed[name])
	}
	if err := os.WriteFile(unsupportedFile, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
