package op

// Quantizable is an operator that can tell the facts below.
type Quantizable interface {
	Op
	Quantization() Facts
}

// Interval is a closed range of real numbers.
type Interval struct{ Lo, Hi float64 }

// None marks an operand that an operator does not have.
const None = -1

// Facts are what the mathematics of an operator says about quantizing it.
// Conventions of runtimes are data of package target, not facts.
type Facts struct {
	// Data lists the operands that are activations when they are not
	// constant. nil: every floating-point operand.
	Data []int
	// Weight is the operand that is quantized as a weight where it is
	// constant, None if there is none. WeightAxis is its output-channel
	// axis, counted from the end if negative.
	Weight, WeightAxis int
	// Bias is the operand added to the accumulator, None if there is none;
	// BiasFactor is what it is multiplied with first.
	Bias       int
	BiasFactor float64
	// Moves says that every output element is a copy of an element of operand
	// 0 or of a constant the operator inserts: output and input can share
	// their parameters.
	Moves bool
	// Range bounds the output whatever the input is; nil: unbounded.
	Range *Interval
	// Clamp says that the output is the input limited to the interval.
	Clamp *Interval
	// Elementwise says that output element i depends on input element i
	// alone, so that 8-bit inputs allow a table.
	Elementwise bool
}

// NoFacts is the starting point of an operator's Facts: no weight, no bias.
func NoFacts() Facts { return Facts{Weight: None, Bias: None, BiasFactor: 1} }
