package runtime

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestOutputsAbreast: convolutions of few filters that compute neighbours
// together give what their reference meaning gives, with a scale and a bias for
// each filter, and those whose shape does not allow it as well.
func TestOutputsAbreast(t *testing.T) {
	for _, c := range []struct {
		channels, filters, kernel, stride, pad, width int
		abreast                                       int
	}{
		{1, 8, 3, 1, 1, 28, 2}, {1, 8, 5, 1, 2, 12, 2}, {3, 8, 3, 2, 1, 24, 2}, {1, 4, 3, 1, 1, 8, 4},
		{2, 2, 3, 1, 0, 18, 8}, {1, 1, 2, 1, 0, 17, 16}, {5, 8, 1, 1, 0, 6, 2},
		{1, 8, 3, 1, 1, 7, 1}, {8, 8, 4, 1, 1, 9, 2}, {2, 6, 3, 1, 1, 8, 2}, {8, 8, 1, 1, 0, 8, 1}, {8, 8, 11, 1, 5, 12, 2}, {9, 1, 3, 1, 1, 22, 11}, {1, 16, 3, 1, 1, 8, 1},
	} {
		for _, typ := range []dtype.Type{dtype.Uint8, dtype.Int8} {
			t.Run(fmt.Sprintf("%+v %v", c, typ), func(t *testing.T) {
				b := newNet()
				o, perFilter := op.New[op.Conv](), op.New[op.DequantizeLinear]()
				perFilter.Axis = 0
				o.Pads, o.Strides = []int{c.pad, c.pad, c.pad, c.pad}, []int{c.stride, c.stride}
				w := tensor.New(dtype.Int8, c.filters, c.channels, c.kernel, c.kernel)
				for i := range w.Bytes() {
					w.Bytes()[i] = byte(b.r.IntN(255) - 127)
				}
				scale, bias := tensor.New(dtype.Float32, c.filters), tensor.New(dtype.Float32, c.filters)
				add := tensor.New(dtype.Int32, c.filters)
				in := grid{0.03, 5, typ}
				for i := range c.filters {
					s := 0.004 + 0.001*b.r.Float32()
					tensor.Data[float32](scale)[i], tensor.Data[float32](bias)[i] = s, s*in.scale
					tensor.Data[int32](add)[i] = int32(b.r.IntN(4000) - 2000)
				}
				x := b.round(b.input(2, c.channels, c.width, c.width), in)
				y := b.node(o, x,
					b.node(perFilter, b.constant(w), b.constant(scale)),
					b.node(perFilter, b.constant(add), b.constant(bias)))
				b.g.Outputs = []*ir.Value{b.round(y, grid{0.02, 9, typ})}
				feed, want := b.feed(), Tensors(nil)
				for _, reference := range []bool{true, false} {
					p, err := Compile(b.g, Options{Threads: 2, KeepLayout: reference})
					if err != nil {
						t.Fatal(err)
					}
					got, err := p.Run(context.Background(), feed)
					if err != nil {
						t.Fatal(err)
					}
					if slow := slices.Contains(p.Reference(), "Quantized Conv"); slow != reference {
						t.Errorf("by its reference meaning: %q, want %v", p.Reference(), reference)
					}
					if reference {
						want = got
					}
					sameTensors(t, "together", got, want)
				}
				g, err := o.Geometry([]int{2, c.channels, c.width, c.width}, w.Shape())
				if err != nil {
					t.Fatal(err)
				}
				if got := abreast(g); got != c.abreast {
					t.Errorf("%d outputs together, want %d", got, c.abreast)
				}
			})
		}
	}
}
