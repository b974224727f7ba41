package pass

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestConvertLayout compares with goldens, and what the graphs compute before
// and after, every bit of it.
func TestConvertLayout(t *testing.T) {
	files, err := filepath.Glob("testdata/layout/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err, "no goldens")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			before, after := inferred(t, string(a.Files[0].Data)), inferred(t, string(a.Files[0].Data))
			if changed, err := ConvertLayout(after, LayoutOptions{}); err != nil || !changed {
				t.Fatal(changed, err)
			}
			if err := ir.Verify(after); err != nil {
				t.Fatal(err)
			}
			sameResults(t, before, after)
			got := ir.Format(after)
			if *update {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(a.Files[1].Data), got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

func inferred(t *testing.T, text string) *ir.Graph {
	t.Helper()
	g, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Infer(g); err != nil {
		t.Fatal(err)
	}
	return g
}

// sameResults runs two graphs on the same random inputs.
func sameResults(t *testing.T, a, b *ir.Graph) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	var in []op.Datum
	for _, v := range a.Inputs {
		shape := make([]int, len(v.Shape))
		for i, d := range v.Shape {
			n, ok := d.Int()
			if !ok {
				n = 2
			}
			shape[i] = n
		}
		n, _ := tensor.Count(shape)
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		in = append(in, op.Datum{Tensor: tensor.FromSlice(x, shape...)})
	}
	want, err := ir.Eval(a, in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ir.Eval(b, in)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if !tensor.Equal(got[i].Tensor, want[i].Tensor) {
			t.Errorf("output %q differs: %v", a.Outputs[i].Name, tensor.Data[float32](got[i].Tensor))
		}
	}
}

// TestLayoutKeepsValues: values that are kept are there in their own order, or
// in another where that is allowed; the operators of the graph stay as they
// were, as clones share them.
func TestLayoutKeepsValues(t *testing.T) {
	const text = "graph g\ninput x float32[1,3,4,4]\nconst w float32[2,3,1,1] = [1 2 3 4 5 6]\na float32[...] = Conv(x, w)\nb float32[...] = Relu(a)\ny float32[...] = MaxPool(b) {kernel_shape=i[2 2]}\noutput y\n"
	for _, anyOrder := range []bool{false, true} {
		g := inferred(t, text)
		c, _ := g.Clone()
		if _, err := ConvertLayout(c, LayoutOptions{Keep: map[string]bool{"a": true, "b": true}, AnyOrder: anyOrder}); err != nil {
			t.Fatal(err)
		}
		shapes := map[string]string{}
		for _, v := range c.Values() {
			shapes[v.Name] = v.Shape.String()
		}
		want := "[1,2,4,4]"
		if anyOrder {
			want = "[1,4,4,2]"
		}
		for _, name := range []string{"a", "b"} {
			if shapes[name] != want {
				t.Errorf("any order %v: %s has shape %q, want %s", anyOrder, name, shapes[name], want)
			}
		}
		if o := g.Nodes[0].Op.(*op.Conv); o.Layout != op.ChannelsFirst {
			t.Error("the graph's own operator was changed")
		}
	}
}
