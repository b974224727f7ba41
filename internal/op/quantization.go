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
	// State is the weight that the operator multiplies its own state with, step
	// after step; its output channels are along WeightAxis, too. None if there is
	// none.
	State int
	// WeightInput is the axis of the weight that runs over the input channels
	// of a group, and Groups how many groups the channels of input and output
	// fall into, one after the other; 0 where no such axis is told. Channels is
	// the axis of the channels in operand 0 and in the output. Axes are counted
	// from the end if negative, and mean nothing without Groups.
	WeightInput, Groups, Channels int
	// Gain and Offset are the operands that a normalization along the last
	// axis multiplies with at its end, and adds then; None where there is none.
	Gain, Offset int
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
	// Homogeneous says that each channel is computed from the same channel of
	// operand 0 alone, and that multiplying it by a positive number multiplies
	// the output by it.
	Homogeneous bool
	// Bounds says that the output is operand 0 limited by the operands 1 and 2,
	// each of which may be absent.
	Bounds bool
	// Sum says that the output is the sum of the operands.
	Sum bool
	// Elementwise says that output element i depends on input element i
	// alone, so that 8-bit inputs allow a table.
	Elementwise bool
}

// channelwise marks facts of an operator that is homogeneous.
func channelwise(f Facts) Facts {
	f.Homogeneous = true
	return f
}

// NoFacts is the starting point of an operator's Facts: no weight, no bias.
func NoFacts() Facts {
	return Facts{Weight: None, State: None, Bias: None, BiasFactor: 1, Gain: None, Offset: None}
}
