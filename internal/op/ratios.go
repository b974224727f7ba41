package op

// Relative reports whether what counts of operand 0 is each number's relative
// error, as for a logarithm, which makes small numbers as large as great ones.
func Relative(o Op) bool {
	switch o.(type) {
	case *Log, *ReduceLogSum:
		return true
	}
	return false
}

// KeepsRatios reports whether the output of an elementwise operator or a
// reduction is as far spread as its operands, to a power: what is small beside
// others stays so.
func KeepsRatios(o Op) bool {
	switch o.(type) {
	case *Add, *Sub, *Mul, *Div, *Sum, *Mean, *Max, *Min, *Neg, *Abs, *Sqrt, *Pow, *Concat,
		*ReduceSum, *ReduceMean, *ReduceL1, *ReduceL2, *ReduceSumSquare, *AveragePool:
		return true
	}
	return false
}
