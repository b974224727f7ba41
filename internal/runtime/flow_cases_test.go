package runtime_test

import (
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// flowCase is a graph with bodies, and what it is run on, in the order of its
// inputs.
type flowCase struct {
	name, graph string
	in          [][]op.Datum
}

var flowCases = []flowCase{
	{"a loop doubles", `graph g
input x float32[2]
const n int64[] = [3]
y float32[2] = Loop(n, _, x)
{
  graph body
  input i int64[]
  input c bool[]
  input v float32[2]
  w float32[2] = Add(v, v)
  output c
  output w
}
output y
`, [][]op.Datum{op.Of(wave(2))}},
	{"a loop that gathers what it carries, within a branch", `graph g
input x float32[2,3]
input c bool[]
input n int64[]
y float32[...], all float32[...] = If(c; x, n)
{
  graph then
  input x float32[2,3]
  input n int64[]
  a float32[2,3], b float32[...] = Loop(n, _, x; x)
  {
    graph body
    input i int64[]
    input c bool[]
    input v float32[2,3]
    input x float32[2,3]
    f float32[] = Cast(i) {to="float32"}
    w float32[2,3] = Mul(v, f)
    r float32[2,3] = Add(w, x)
    output c
    output r
    output r
  }
  output a
  output b
}
{
  graph else
  input x float32[2,3]
  input n int64[]
  const axes int64[1] = [0]
  d float32[2,3] = Neg(x)
  e float32[1,2,3] = Unsqueeze(d, axes)
  output d
  output e
}
output y
output all
`, [][]op.Datum{
		op.Of(wave(2, 3), boolean(true), tensor.Scalar[int64](4)), op.Of(wave(2, 3), boolean(false), tensor.Scalar[int64](4)),
		op.Of(wave(2, 3), boolean(true), tensor.Scalar[int64](0)), op.Of(wave(2, 3), boolean(true), tensor.Scalar[int64](1)),
	}},
	{"a scan backwards, along other axes", `graph g
input s float32[2]
input x float32[2,5]
input y float32[5,2]
const w float32[2,2] = [1 2 -0.5 0.25]
last float32[2], p float32[...], q float32[...] = Scan(s, x, y; w) {num_scan_inputs=2, scan_input_axes=i[1 0], scan_input_directions=i[1 0], scan_output_axes=i[1 0], scan_output_directions=i[0 1]}
{
  graph body
  input s float32[2]
  input a float32[2]
  input b float32[2]
  input w float32[2,2]
  const axes int64[1] = [0]
  row float32[1,2] = Unsqueeze(s, axes)
  m float32[1,2] = MatMul(row, w)
  flat float32[2] = Squeeze(m, axes)
  t float32[2] = Add(flat, a)
  u float32[2] = Mul(t, b)
  output t
  output u
  output t
}
output last
output p
output q
`, [][]op.Datum{op.Of(wave(2), wave(2, 5), wave(5, 2))}},
	{"values change places", `graph g
input x float32[3]
input y float32[3]
const n int64[] = [5]
a float32[3], b float32[3], k float32[3] = Loop(n, _, x, y, x)
{
  graph body
  input i int64[]
  input c bool[]
  input p float32[3]
  input q float32[3]
  input k float32[3]
  s float32[3] = Add(p, q)
  output c
  output q
  output s
  output k
}
output a
output b
output k
`, [][]op.Datum{op.Of(wave(3), wave(3))}},
	{"shapes that grow, and what lags behind them", `graph g
input x float32[1]
input n int64[]
p float32[...], q float32[...], r float32[...], s float32[...] = Loop(n, _, x, x, x, x)
{
  graph body
  input i int64[]
  input c bool[]
  input a float32[...]
  input b float32[...]
  input d float32[...]
  input e float32[...]
  a0 float32[...] = Concat(a, b) {axis=0}
  a1 float32[...] = Neg(a0)
  b1 float32[...] = Identity(a)
  d1 float32[...] = Identity(b)
  e1 float32[...] = Relu(d)
  output c
  output a1
  output b1
  output d1
  output e1
}
output p
output q
output r
output s
`, [][]op.Datum{op.Of(wave(1), tensor.Scalar[int64](3)), op.Of(wave(1), tensor.Scalar[int64](12)), op.Of(wave(1), tensor.Scalar[int64](0))}},
	{"a loop that ends by its condition", `graph g
input x float32[]
const most float32[] = [100]
const yes bool[] = [1]
y float32[], all float32[...] = Loop(_, yes, x; most)
{
  graph body
  input i int64[]
  input c bool[]
  input v float32[]
  input most float32[]
  w float32[] = Add(v, v)
  on bool[] = Less(w, most)
  output on
  output w
  output v
}
output y
output all
`, [][]op.Datum{op.Of(tensor.Scalar[float32](3)), op.Of(tensor.Scalar[float32](300))}},
	{"a sequence made by a loop", `graph g
input x float32[2,2]
input n int64[]
const zero int64[] = [0]
empty seq(float32[...]) = SequenceEmpty() {dtype="float32"}
list seq(float32[...]), last float32[...] = Loop(n, _, empty, x)
{
  graph body
  input i int64[]
  input c bool[]
  input l seq(float32[...])
  input v float32[...]
  w float32[...] = Add(v, v)
  m seq(float32[...]) = SequenceInsert(l, v)
  k seq(float32[...]) = SequenceInsert(m, w)
  output c
  output k
  output w
}
all float32[...] = ConcatFromSequence(list) {axis=0}
count int64[] = SequenceLength(list)
output list
output all
output count
output last
`, [][]op.Datum{op.Of(wave(2, 2), tensor.Scalar[int64](4)), op.Of(wave(2, 2), tensor.Scalar[int64](1))}},
	{"an optional through a branch", `graph g
input x float32[3]
input c bool[]
o optional(float32[3]) = If(c; x)
{
  graph then
  input x float32[3]
  y float32[3] = Neg(x)
  a optional(float32[3]) = Optional(y)
  output a
}
{
  graph else
  input x float32[3]
  b optional(float32[3]) = Optional(x)
  output b
}
has bool[] = OptionalHasElement(o)
y float32[3] = OptionalGetElement(o)
z float32[3] = Add(y, x)
output has
output y
output z
output o
`, [][]op.Datum{op.Of(wave(3), boolean(true)), op.Of(wave(3), boolean(false))}},
	{"a map over a sequence of other shapes", `graph g
input x float32[2,3]
input y float32[1,3]
const w float32[3,2] = [1 2 3 4 5 6]
l seq(float32[...]) = SequenceConstruct(x, y, x)
m seq(float32[...]) = SequenceMap(l; w)
{
  graph body
  input e float32[...]
  input w float32[3,2]
  p float32[...] = MatMul(e, w)
  output p
}
z float32[...] = ConcatFromSequence(m) {axis=0}
output z
output m
`, [][]op.Datum{op.Of(wave(2, 3), wave(1, 3))}},
	{"a body that reshapes by a shape around it", `graph g
input x float32[b,4]
const n int64[] = [2]
s int64[2] = Shape(x)
y float32[...] = Loop(n, _, x; s)
{
  graph body
  input i int64[]
  input c bool[]
  input v float32[...]
  input s int64[2]
  const whole int64[1] = [-1]
  f float32[...] = Reshape(v, whole)
  g float32[...] = Softmax(f)
  h float32[...] = Reshape(g, s)
  output c
  output h
}
output y
`, [][]op.Datum{op.Of(wave(3, 4)), op.Of(wave(5, 4))}},
	{"a convolution in a branch that the shape decides", `graph g
input x float32[1,2,h,5]
const w float32[3,2,2,2] = [1 2 3 4 5 6 7 8 9 10 11 12 -1 -2 -3 -4 -5 -6 -7 -8 -9 -10 -11 -12]
const two int64[] = [2]
const four int64[] = [4]
s int64[4] = Shape(x)
d int64[] = Gather(s, two)
c bool[] = Less(d, four)
y float32[...] = If(c; x, w)
{
  graph then
  input x float32[...]
  input w float32[3,2,2,2]
  z float32[...] = Conv(x, w)
  output z
}
{
  graph else
  input x float32[...]
  input w float32[3,2,2,2]
  z float32[...] = Conv(x, w)
  r float32[...] = Relu(z)
  output r
}
output y
`, [][]op.Datum{op.Of(wave(1, 2, 3, 5)), op.Of(wave(1, 2, 6, 5))}},
	{"strings through a branch", `graph g
input x string[2]
input c bool[]
y string[2], k string[2] = If(c; x)
{
  graph then
  input x string[2]
  z string[2] = Identity(x)
  output z
  output x
}
{
  graph else
  input x string[2]
  const s string[2] = ["a" "b"]
  output s
  output x
}
output y
output k
`, [][]op.Datum{op.Of(words("p", "q"), boolean(true)), op.Of(words("p", "q"), boolean(false))}},
	{"one element twice, and constants in a sequence", `graph g
input x float32[2]
const w float32[2] = [5 6]
const zero int64[] = [0]
const one int64[] = [1]
l seq(float32[2]) = SequenceConstruct(w, x)
a float32[2] = SequenceAt(l, zero)
b float32[2] = SequenceAt(l, zero)
d float32[2] = SequenceAt(l, one)
output a
output b
output d
`, [][]op.Datum{op.Of(wave(2))}},
}
