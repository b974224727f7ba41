package runtime

import (
	"context"
	"math/rand/v2"
	goruntime "runtime"
	"slices"
	"sync"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestPackKeepsBlocksApart: blocks that live at the same time never overlap, all
// lie on the alignment, and the whole is no smaller than what lives at once and
// not much larger.
func TestPackKeepsBlocksApart(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 200 {
		steps := 1 + r.IntN(40)
		var blocks []*block
		for range 1 + r.IntN(60) {
			from := r.IntN(steps)
			blocks = append(blocks, &block{size: alignment * (1 + r.IntN(20)), from: from, to: min(steps, from+r.IntN(6))})
		}
		total := pack(blocks)
		least := 0
		for s := range steps + 1 {
			live := 0
			for _, b := range blocks {
				if b.from <= s && s <= b.to {
					live += b.size
				}
			}
			least = max(least, live)
		}
		if total < least || total > 2*least {
			t.Errorf("%d bytes for %d that live at once", total, least)
		}
		for i, a := range blocks {
			if a.offset%alignment != 0 || a.offset+a.size > total {
				t.Fatalf("a block at %d of %d", a.offset, total)
			}
			for _, b := range blocks[:i] {
				if a.from <= b.to && b.from <= a.to && a.offset < b.offset+b.size && b.offset < a.offset+a.size {
					t.Fatalf("%+v and %+v overlap", a, b)
				}
			}
		}
	}
}

// TestPlanReusesMemory: a chain of elementwise steps stays in one place; a value
// that is read later, through a view too, is left alone; outputs lie outside.
func TestPlanReusesMemory(t *testing.T) {
	for _, c := range []struct {
		name, text string
		arena      int
	}{
		{"a chain", "a float32[...] = Relu(x)\nb float32[...] = Sigmoid(a)\nc float32[...] = Add(b, k)\ny float32[...] = Tanh(c)\noutput y\n", 4 * 64},
		{"read later", "a float32[...] = Relu(x)\nb float32[...] = Sigmoid(a)\nc float32[...] = Add(a, b)\ny float32[...] = Tanh(c)\noutput y\n", 2 * 4 * 64},
		{"the second operand", "a float32[...] = Relu(x)\nb float32[...] = Sub(k, a)\ny float32[...] = Tanh(b)\noutput y\n", 4 * 64},
		{"a view", "a float32[...] = Relu(x)\nv float32[...] = Flatten(a)\nb float32[...] = Sigmoid(a)\nc float32[...] = Flatten(b)\nd float32[...] = Add(c, v)\ny float32[...] = Tanh(d)\noutput y\n", 2 * 4 * 64},
		{"a view that dies", "a float32[...] = Relu(x)\nv float32[...] = Flatten(a)\nb float32[...] = Sigmoid(v)\ny float32[...] = Tanh(b)\noutput y\n", 4 * 64},
		{"an output", "a float32[...] = Relu(x)\nb float32[...] = Sigmoid(a)\ny float32[...] = Tanh(b)\noutput a\noutput y\n", 4 * 64},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := ir.Parse("graph g\ninput x float32[1,4,4,4]\nconst k float32[4,4] = [1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7]\n" + c.text)
			if err != nil {
				t.Fatal(err)
			}
			p, err := Compile(g, Options{})
			if err != nil {
				t.Fatal(err)
			}
			x := make([]float32, 64)
			for i := range x {
				x[i] = float32(i)/16 - 2
			}
			in := Tensors{"x": tensor.FromSlice(x, 1, 4, 4, 4)}
			got, err := p.Run(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			kept, err := Compile(g, Options{NoFusion: true, Keep: names(g)})
			if err != nil {
				t.Fatal(err)
			}
			want, err := kept.Run(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			for name, w := range want {
				if !tensor.Equal(got[name], w) {
					t.Errorf("%s is %v, want %v", name, tensor.Data[float32](got[name]), tensor.Data[float32](w))
				}
			}
			if a := p.plans[0].arena; a != c.arena {
				t.Errorf("the arena has %d bytes, want %d", a, c.arena)
			}
		})
	}
}

func names(g *ir.Graph) (out []string) {
	for _, v := range g.Values() {
		out = append(out, v.Name)
	}
	return out
}

// TestRunsAtTheSameTime: goroutines that run one program on inputs of more
// shapes than it remembers get, all of them, what one alone gets.
func TestRunsAtTheSameTime(t *testing.T) {
	g, err := ir.Parse("graph g\ninput x float32[n,3,h,h]\n" + weights() +
		"a float32[...] = Conv(x, w) {pads=i[1 1 1 1]}\nb float32[...] = Relu(a)\nc float32[...] = Conv(b, v) {strides=i[2 2]}\nd float32[...] = Sigmoid(c)\ny float32[...] = Add(d, c)\noutput y\n")
	if err != nil {
		t.Fatal(err)
	}
	shapes := [][]int{}
	for n := 1; n <= 3; n++ {
		for _, h := range []int{9, 20, 33, 48} {
			shapes = append(shapes, []int{n, 3, h, h})
		}
	}
	if len(shapes) <= maxPlans {
		t.Fatal("too few shapes")
	}
	inputs, want := []Tensors{}, []*tensor.Tensor{}
	alone, err := Compile(g, Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	for k, s := range shapes {
		n, _ := tensor.Count(s)
		x := make([]float32, n)
		for i := range x {
			x[i] = float32((i*7+k)%13) - 6
		}
		inputs = append(inputs, Tensors{"x": tensor.FromSlice(x, s...)})
		out, err := alone.Run(context.Background(), inputs[k])
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, out["y"])
	}
	for _, procs := range []int{1, 4} {
		old := goruntime.GOMAXPROCS(procs)
		for _, threads := range []int{1, 3} {
			p, err := Compile(g, Options{Threads: threads})
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for i := range 6 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					out := Tensors{"y": nil}
					for j := range 24 {
						k := (i*5 + j*j) % len(shapes)
						out["y"] = tensor.New(want[k].Type(), want[k].Shape()...)
						if err := p.RunInto(context.Background(), inputs[k], out); err != nil {
							t.Error(err)
							return
						}
						if !tensor.Equal(out["y"], want[k]) {
							t.Errorf("%d processors, %d threads, shape %v: another result", procs, threads, shapes[k])
						}
					}
				}()
			}
			wg.Wait()
		}
		goruntime.GOMAXPROCS(old)
	}
}

// weights are the constants w and v of the graph above.
func weights() string {
	g := &ir.Graph{}
	for name, shape := range map[string][]int{"w": {16, 3, 3, 3}, "v": {24, 16, 3, 3}} {
		n, _ := tensor.Count(shape)
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(i*5%17-8) / 8
		}
		g.Outputs = append(g.Outputs, ir.NewConst(name, tensor.FromSlice(x, shape...)))
	}
	lines := slices.Collect(func(yield func(string) bool) {
		for _, v := range g.Outputs {
			yield("const " + v.Name + " " + ir.TensorText(v.Const) + "\n")
		}
	})
	slices.Sort(lines)
	return lines[0] + lines[1]
}
