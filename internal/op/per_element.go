package op

// PerElement reports whether each element of an operator's one output depends
// on the elements at its place in the operands alone, these being broadcast:
// parts of the output can then be computed from parts of the operands.
func PerElement(o Op) bool {
	switch o.(type) {
	case *Add, *Sub, *Mul, *Div, *Pow, *Mod, *Min, *Max, *Mean, *Sum, *Where,
		*And, *Or, *Xor, *Not, *Equal, *Greater, *GreaterOrEqual, *Less, *LessOrEqual,
		*BitwiseAnd, *BitwiseNot, *BitwiseOr, *BitwiseXor, *BitShift,
		*Abs, *Neg, *Sign, *Ceil, *Floor, *Round, *Reciprocal, *Sqrt, *Exp, *Log, *Erf,
		*Cast, *Clip, *IsInf, *IsNaN,
		*Relu, *LeakyRelu, *Sigmoid, *Tanh, *Gelu, *HardSigmoid, *HardSwish, *Swish, *Mish, *Elu, *Softplus:
		return true
	}
	return false
}
