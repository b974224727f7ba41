package octavo_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

// TestRangesOfRowsDoNotDependOnTheBatch: with a range for each row the answer for a
// sample is the same beside any others, and as the file has it; with one range it
// is not.
func TestRangesOfRowsDoNotDependOnTheBatch(t *testing.T) {
	ctx := context.Background()
	for _, granularity := range []string{"row", "tensor"} {
		r := octavo.Recipe{Mode: octavo.Dynamic, Target: "octavo"}
		r.Activations.Granularity = granularity
		q, err := octavo.Quantize(ctx, demoModel(t), r)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "rows.onnx")
		if err := q.Save(path); err != nil {
			t.Fatal(err)
		}
		read, err := octavo.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		defer read.Close()
		const n = 4
		pixels := randomInput(t, q, n, 3)
		size := len(pixels) / n
		for i := range pixels[:size] {
			pixels[i] *= 40 // one sample has another range than the others
		}
		answer := func(m *octavo.Model, x []float32) []float32 {
			p, err := m.Compile()
			if err != nil {
				t.Fatal(err)
			}
			out, err := p.Run(ctx, octavo.Inputs{"input": octavo.NewTensor(x, len(x)/size, 1, 8, 8)})
			if err != nil {
				t.Fatal(err)
			}
			for _, y := range out {
				return octavo.Data[float32](y)
			}
			return nil
		}
		all, same := answer(q, pixels), true
		if saved := answer(read, pixels); !slices.Equal(saved, all) {
			t.Errorf("%s: the file computes %v, the model %v", granularity, saved, all)
		}
		for i := range n {
			alone := answer(q, pixels[i*size:(i+1)*size])
			same = same && slices.Equal(alone, all[i*len(alone):(i+1)*len(alone)])
		}
		if same != (granularity == "row") {
			t.Errorf("%s: samples answer alone as in a batch: %v", granularity, same)
		}
	}
}

func TestRangesOfRowsAreRefused(t *testing.T) {
	for _, c := range []struct {
		change func(*octavo.Recipe)
		want   string
	}{
		{func(r *octavo.Recipe) { r.Target = "onnxruntime-cpu" }, "--target octavo"},
		{func(r *octavo.Recipe) { r.Mode = octavo.WeightOnly }, "--mode dynamic"},
		{func(r *octavo.Recipe) { r.Activations.Granularity = "rows" }, "row"},
	} {
		r := octavo.Recipe{Mode: octavo.Dynamic, Target: "octavo"}
		r.Activations.Granularity = "row"
		c.change(&r)
		_, err := octavo.Quantize(context.Background(), demoModel(t), r)
		if err == nil || !strings.Contains(err.Error()+strings.Join(diag.Notes(err), "\n"), c.want) {
			t.Errorf("%v: want an error that says %q", err, c.want)
		}
	}
}
