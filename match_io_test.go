package octavo

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
)

// TestMatchedEdges: inputs belong together by name, or where one alone fits.
func TestMatchedEdges(t *testing.T) {
	for _, c := range []struct {
		name       string
		want, have string   // inputs, with commas between
		lines      []string // what is to be done
		no         bool     // one has no match
	}{
		{name: "the same", want: "x float32[n,3,8,8]", have: "x float32[1,3,8,8]"},
		{name: "another name", want: "x float32[n,4]", have: "y float32[1,4]", lines: []string{`input "y": stands for "x"`}},
		{name: "channels last", want: "x float32[n,3,8,9]", have: "x float32[1,8,9,3]", lines: []string{`input "x": channels-last`}},
		{name: "channels first", want: "x float32[1,8,9,3]", have: "x float32[n,3,8,9]", lines: []string{`input "x": channels-first`}},
		{name: "rows", want: "x float32[1,4,9]", have: "x float32[1,9,4]", lines: []string{`input "x": channels-last`}},
		{name: "equal sizes are not turned", want: "x float32[1,8,8,8]", have: "x float32[1,8,8,8]"},
		{name: "other sizes", want: "x float32[1,3,8,8]", have: "x float32[1,9,8,3]", no: true},
		{name: "another rank", want: "x float32[1,8,8]", have: "x float32[1,1,8,8]", no: true},
		{name: "two fit", want: "x float32[4], z float32[4]", have: "a float32[4], b float32[4]", no: true},
		{name: "one is left", want: "x float32[4], z float32[4]", have: "a float32[4], z float32[4]", lines: []string{`input "a": stands for "x"`}},
		{name: "each fits one", want: "x float32[4], z float32[2,5,5,3]", have: "a float32[2,3,5,5], b float32[4]", lines: []string{`input "b": stands for "x"`, `input "a": channels-first, stands for "z"`}},
		{name: "integers without a scale", want: "x float32[4]", have: "x int64[4]", no: true},
		{name: "integers", want: "x float32[4]", have: "x int8[4]", lines: []string{`input "x": int8, scale 0.5, zero point 3`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			graph := func(inputs string) *ir.Graph {
				text, nodes := "graph g\n", "const s float32[] = [0.5]\nconst o int8[] = [3]\n"
				for in := range strings.SplitSeq(inputs, ", ") {
					name, fact, _ := strings.Cut(in, " ")
					text += "input " + in + "\n"
					if shape, ok := strings.CutPrefix(fact, "int8"); ok {
						nodes += name + "d float32" + shape + " = DequantizeLinear(" + name + ", s, o)\n"
					} else {
						nodes += name + "d " + fact + " = Identity(" + name + ")\n"
					}
					nodes += "output " + name + "d\n"
				}
				g, err := ir.Parse(text + sortedOutputs(nodes))
				if err != nil {
					t.Fatal(err)
				}
				return g
			}
			want, have := graph(c.want), graph(c.have)
			list, ok := matchEdges(have, want.Inputs, have.Inputs)
			if c.no {
				if ok {
					t.Errorf("matched: %v", list)
				}
				return
			}
			var lines []string
			for _, e := range list {
				lines = append(lines, edgeLine(e, true))
			}
			if !ok || !slices.Equal(lines, c.lines) {
				t.Errorf("%v %q, want %q", ok, lines, c.lines)
			}
		})
	}
}

// sortedOutputs puts the lines of outputs behind the others.
func sortedOutputs(text string) string {
	var nodes, outs []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "output ") {
			outs = append(outs, line)
		} else {
			nodes = append(nodes, line)
		}
	}
	return strings.Join(nodes, "") + strings.Join(outs, "")
}

// TestIntegerFilesAreJudged: files of TensorFlow Lite with integers at their
// edges, which record nothing of where they come from, are judged on the samples
// of the float model by the parameters in them.
func TestIntegerFilesAreJudged(t *testing.T) {
	needFixtures(t)
	dir := filepath.Join(fixtures, "digits_cnn/tflite")
	m := open(t, filepath.Join(dir, "digits_cnn.float.tflite"))
	d, err := m.OpenData(DataOptions{Paths: []string{filepath.Join(fixtures, "digits_cnn/inputs.npy")}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, file := range []string{"int8.floatio", "int8", "uint8io"} {
		q := open(t, filepath.Join(dir, "digits_cnn."+file+".tflite"))
		v, err := ValidateData(context.Background(), m, []*Model{q}, d, ValidateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if c := v.Models[1]; *c.Agreement != 1 || *c.SQNR < 38 {
			t.Errorf("%s: agreement %v, SQNR %v dB", file, *c.Agreement, *c.SQNR)
		}
	}
}

// TestFilesOfAnotherLayoutAreJudged: a model whose channels are first is judged
// against, and explained by, one whose channels are last, integers at its edges
// and names of its own.
func TestFilesOfAnotherLayoutAreJudged(t *testing.T) {
	path := filepath.Join(realModels, "derived/kws.onnx")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs the real models: %v", err)
	}
	m, peer := open(t, path), open(t, filepath.Join(realModels, "mlperf-tiny/kws/kws_ref_model.tflite"))
	clips := keywords(t)
	v, err := Validate(context.Background(), m, []*Model{peer}, labelled(clips[:200]), ValidateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if f, q := v.Models[0].Accuracy.Value, v.Models[1].Accuracy.Value; f < 0.9 || q < 0.87 {
		t.Errorf("accuracy %v and %v", f, q)
	}

	if err := m.Fix(nil, []string{"batch=1"}); err != nil {
		t.Fatal(err)
	}
	r := Recipe{Mode: Static, Target: "litert", IO: "int8", IOLayout: "in=channels-last", Algorithms: []string{"none"}}
	r.Activations.Observer = "minmax"
	q, err := Quantize(context.Background(), m, r, WithCalibration(inputsOf(every(clips, 20, true))))
	if err != nil {
		t.Fatal(err)
	}
	q.graph.Meta = nil // as of a tool that records nothing
	file := filepath.Join(t.TempDir(), "kws.tflite")
	if err := q.Save(file); err != nil {
		t.Fatal(err)
	}
	back := open(t, file)
	if in := back.graph.Inputs[0]; in.Type.String() != "int8" || in.Shape.String() != "[1,49,10,1]" {
		t.Fatalf("the input is %v%v", in.Type, in.Shape)
	}
	x := filepath.Join(t.TempDir(), "clips.npy")
	writeArray(t, x, stacked(clips[:8]))
	d, err := m.OpenData(DataOptions{Paths: []string{x}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	e, err := Explain(context.Background(), m, back, d, ExplainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	convs := 0
	for _, l := range e.Layers {
		if l.Op == "Conv" {
			convs++
			if l.Accumulated.SQNR == nil || *l.Accumulated.SQNR < 15 {
				t.Errorf("%s: %v dB", l.Node, l.Accumulated.SQNR)
			}
		}
	}
	if convs != 9 {
		t.Errorf("%d convolutions were compared, want 9", convs)
	}
}
