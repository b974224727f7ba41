package tflite

import (
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// Operators on each element alone.
var elementwise = []conversion{
	{"ABS", "AbsOptions", 5, 1, 1, unary[op.Abs]},
	{"ADD", "AddOptions", 5, 2, 1, fusedBinary[op.Add]},
	{"ADD_N", "AddNOptions", 1, 1, 1, addN},
	{"CAST", "CastOptions", 8, 1, 1, castTo},
	{"CEIL", "", 1, 1, 1, unary[op.Ceil]},
	{"COS", "CosOptions", 1, 1, 1, unary[op.Cos]},
	{"DIV", "DivOptions", 2, 2, 1, fusedBinary[op.Div]},
	{"ELU", "", 1, 1, 1, unary[op.Elu]},
	{"EQUAL", "EqualOptions", 5, 2, 1, pair[op.Equal]},
	{"EXP", "ExpOptions", 2, 1, 1, unary[op.Exp]},
	{"FLOOR", "", 1, 1, 1, unary[op.Floor]},
	{"FLOOR_DIV", "FloorDivOptions", 3, 2, 1, floorDiv},
	{"FLOOR_MOD", "FloorModOptions", 2, 2, 1, floorMod},
	{"GELU", "GeluOptions", 2, 1, 1, gelu},
	{"GREATER", "GreaterOptions", 2, 2, 1, pair[op.Greater]},
	{"GREATER_EQUAL", "GreaterEqualOptions", 3, 2, 1, pair[op.GreaterOrEqual]},
	{"HARD_SWISH", "HardSwishOptions", 1, 1, 1, unary[op.HardSwish]},
	{"LEAKY_RELU", "LeakyReluOptions", 2, 1, 1, leakyRelu},
	{"LESS", "LessOptions", 3, 2, 1, pair[op.Less]},
	{"LESS_EQUAL", "LessEqualOptions", 2, 2, 1, pair[op.LessOrEqual]},
	{"LOG", "", 2, 1, 1, unary[op.Log]},
	{"LOGICAL_AND", "LogicalAndOptions", 1, 2, 1, pair[op.And]},
	{"LOGICAL_NOT", "LogicalNotOptions", 1, 1, 1, unary[op.Not]},
	{"LOGICAL_OR", "LogicalOrOptions", 1, 2, 1, pair[op.Or]},
	{"LOGISTIC", "", 3, 1, 1, unary[op.Sigmoid]},
	{"MAXIMUM", "MaximumMinimumOptions", 4, 2, 1, pair[op.Max]},
	{"MINIMUM", "MaximumMinimumOptions", 4, 2, 1, pair[op.Min]},
	{"MUL", "MulOptions", 7, 2, 1, fusedBinary[op.Mul]},
	{"NEG", "NegOptions", 1, 1, 1, unary[op.Neg]},
	{"NOT_EQUAL", "NotEqualOptions", 4, 2, 1, notEqual},
	{"POW", "PowOptions", 1, 2, 1, pair[op.Pow]},
	{"PRELU", "", 1, 2, 1, pair[op.PRelu]},
	{"RELU", "", 3, 1, 1, unary[op.Relu]},
	{"RELU6", "", 3, 1, 1, func(s *scope) { s.set(0, s.clip(s.in(0), 0, 6)) }},
	{"RELU_0_TO_1", "", 1, 1, 1, func(s *scope) { s.set(0, s.clip(s.in(0), 0, 1)) }},
	{"RELU_N1_TO_1", "", 1, 1, 1, func(s *scope) { s.set(0, s.clip(s.in(0), -1, 1)) }},
	{"ROUND", "", 1, 1, 1, unary[op.Round]},
	{"RSQRT", "", 3, 1, 1, rsqrt},
	{"SELECT", "SelectOptions", 4, 3, 1, selectOne},
	{"SELECT_V2", "SelectV2Options", 2, 3, 1, selectOne},
	{"SIGN", "SignOptions", 2, 1, 1, unary[op.Sign]},
	{"SIN", "", 1, 1, 1, unary[op.Sin]},
	{"SQRT", "", 2, 1, 1, unary[op.Sqrt]},
	{"SQUARE", "SquareOptions", 1, 1, 1, func(s *scope) { s.set(0, s.node(op.New[op.Mul](), s.in(0), s.in(0))) }},
	{"SQUARED_DIFFERENCE", "SquaredDifferenceOptions", 2, 2, 1, squaredDifference},
	{"SUB", "SubOptions", 5, 2, 1, fusedBinary[op.Sub]},
	{"TANH", "", 3, 1, 1, unary[op.Tanh]},
}

// operatorOf is a pointer to an operator's struct.
type operatorOf[T any] interface {
	*T
	op.Op
}

func unary[T any, P operatorOf[T]](s *scope) { s.set(0, s.node(P(op.New[T]()), s.in(0))) }

// fusedBinary has a fused activation, which all tables of such options begin with.
func fusedBinary[T any, P operatorOf[T]](s *scope) {
	p := optionsOf[fusedOptions](s.o)
	s.set(0, s.fused(s.node(P(op.New[T]()), s.in(0), s.in(1)), p.Fused))
}

// pair has two operands and no options.
func pair[T any, P operatorOf[T]](s *scope) {
	s.set(0, s.node(P(op.New[T]()), s.in(0), s.in(1)))
}

func notEqual(s *scope) {
	s.set(0, s.node(op.New[op.Not](), s.node(op.New[op.Equal](), s.in(0), s.in(1))))
}

func addN(s *scope) {
	var in []*ir.Value
	for k := range s.o.in {
		if s.has(k) {
			in = append(in, s.in(k))
		}
	}
	s.set(0, s.node(op.New[op.Sum](), in...))
}

// castTo goes by the type of its output: options were optional once.
func castTo(s *scope) {
	typ, err := s.d.elementType(&s.sub.tensors[s.o.out[0]])
	if err != nil && s.err == nil {
		s.err = err
		return
	}
	s.store(0, s.cast(s.raw(0), typ))
}

func gelu(s *scope) {
	o := op.New[op.Gelu]()
	if optionsOf[geluOptions](s.o).Approximate {
		o.Approximate = "tanh"
	}
	s.set(0, s.node(o, s.in(0)))
}

func leakyRelu(s *scope) {
	o := op.New[op.LeakyRelu]()
	o.Alpha = optionsOf[leakyReluOptions](s.o).Alpha
	s.set(0, s.node(o, s.in(0)))
}

func rsqrt(s *scope) {
	s.set(0, s.node(op.New[op.Reciprocal](), s.node(op.New[op.Sqrt](), s.in(0))))
}

// selectOne broadcasts like Where; a condition of one dimension less chooses
// whole rows in SELECT, version 1 of it.
func selectOne(s *scope) {
	c, x := s.raw(0), s.in(1)
	if name, _ := codeName(s.o.code); name == "SELECT" && len(c.Shape) == 1 && len(x.Shape) > 1 {
		var axes []int
		for i := 1; i < len(x.Shape); i++ {
			axes = append(axes, i)
		}
		c = s.node(op.New[op.Unsqueeze](), c, s.list(axes...))
	}
	s.set(0, s.node(op.New[op.Where](), c, x, s.in(2)))
}

func squaredDifference(s *scope) {
	d := s.node(op.New[op.Sub](), s.in(0), s.in(1))
	s.set(0, s.node(op.New[op.Mul](), d, d))
}

// floorDiv rounds quotients down.
func floorDiv(s *scope) {
	x, y := s.in(0), s.in(1)
	if x.Type.IsFloat() {
		s.set(0, s.node(op.New[op.Floor](), s.node(op.New[op.Div](), x, y)))
		return
	}
	// (x − x mod y) / y is exact, with a remainder that has y's sign.
	r := s.node(op.New[op.Mod](), x, y)
	s.set(0, s.node(op.New[op.Div](), s.node(op.New[op.Sub](), x, r), y))
}

// floorMod has the sign of the divisor, as Mod of integers has.
func floorMod(s *scope) {
	x, y := s.in(0), s.in(1)
	if !x.Type.IsFloat() {
		s.set(0, s.node(op.New[op.Mod](), x, y))
		return
	}
	m := op.New[op.Mod]()
	m.Fmod = true
	r := s.node(m, x, y)
	zero := s.cast(s.scalar(0), x.Type)
	less := func(v *ir.Value) *ir.Value { return s.node(op.New[op.Less](), v, zero) }
	wrong := s.node(op.New[op.Xor](), less(r), less(y))
	some := s.node(op.New[op.Not](), s.node(op.New[op.Equal](), r, zero))
	both := s.node(op.New[op.And](), wrong, some)
	s.set(0, s.node(op.New[op.Where](), both, s.node(op.New[op.Add](), r, y), r))
}
