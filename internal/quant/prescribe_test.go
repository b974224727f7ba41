package quant

import (
	"fmt"
	"slices"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/target"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// prescribed is a graph as another tool quantizes one: a Softmax with a range of
// its own, a Reshape and a Concat that bring other parameters in and out.
const prescribed = `graph prescribed
input x float32[2,3]
const s float32[] = [0.5]
const z uint8[] = [100]
const ss float32[] = [0.003]
const sz uint8[] = [2]
const rs float32[] = [0.004]
const as float32[] = [0.25]
const az uint8[] = [7]
const cs float32[] = [0.125]
const cz uint8[] = [64]
xq uint8[2,3] = QuantizeLinear(x, s, z)
xd float32[2,3] = DequantizeLinear(xq, s, z)
a float32[2,3] = Softmax(xd)
aq uint8[2,3] = QuantizeLinear(a, ss, sz)
ad float32[2,3] = DequantizeLinear(aq, ss, sz)
const to int64[2] = [3 2]
r float32[3,2] = Reshape(ad, to)
rq uint8[3,2] = QuantizeLinear(r, rs, sz)
rd float32[3,2] = DequantizeLinear(rq, rs, sz)
b float32[2,3] = Add(xd, xd)
bq uint8[2,3] = QuantizeLinear(b, as, az)
bd float32[2,3] = DequantizeLinear(bq, as, az)
c float32[2,6] = Concat(xd, bd) {axis=1}
cq uint8[2,6] = QuantizeLinear(c, cs, cz)
cd float32[2,6] = DequantizeLinear(cq, cs, cz)
output rd
output cd
`

func TestPrescribedParameters(t *testing.T) {
	g, err := ir.Parse(prescribed)
	if err != nil {
		t.Fatal(err)
	}
	litert, err := target.Load("litert")
	if err != nil {
		t.Fatal(err)
	}
	moved, err := Prescribe(g, litert)
	if err != nil {
		t.Fatal(err)
	}
	if err := ir.Verify(g); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range moved {
		got = append(got, fmt.Sprintf("%s %v %v %d -> %v %v %d", m.Value, m.From.Type, m.From.Scale[0], m.From.Zero(0), m.To.Type, m.To.Scale[0], m.To.Zero(0)))
	}
	want := []string{
		"a uint8 0.003 2 -> uint8 0.00390625 0",
		"r uint8 0.004 2 -> uint8 0.00390625 0",
		"xd uint8 0.5 100 -> uint8 0.125 64", // what gives x has other readers
		"b uint8 0.25 7 -> uint8 0.125 64",   // rounds to the joint parameters at once
	}
	if !slices.Equal(got, want) {
		t.Errorf("moved are\n%q, want\n%q", got, want)
	}
	out, err := ir.Eval(g, op.Of(tensor.FromSlice([]float32{1, 2, 4, 0, 0, 0}, 2, 3)))
	if err != nil {
		t.Fatal(err)
	}
	// Softmax of 1, 2, 4 is 0.042, 0.114, 0.844; a third is 85.33 steps of 1/256.
	steps := []float32{11, 29, 216, 85, 85, 85}
	for i, v := range tensor.Data[float32](out[0].Tensor) {
		if v != steps[i]/256 {
			t.Errorf("element %d is %v, want %v/256", i, v, steps[i])
		}
	}
	if c := tensor.Data[float32](out[1].Tensor); !slices.Equal(c, []float32{1, 2, 4, 2, 4, 8, 0, 0, 0, 0, 0, 0}) {
		t.Errorf("concat is %v", c)
	}

	again, err := Prescribe(g, litert)
	if err != nil || len(again) != 0 {
		t.Errorf("what is as prescribed is moved: %v, %v", again, err)
	}
}
