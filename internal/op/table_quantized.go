package op

// tableQuantized holds the operators of quantized models. ConvIntegerToFloat,
// DynamicQuantize and Quantized are the project's own; no file has them.
var tableQuantized = []Entry{
	row[ConvInteger](""),
	row[ConvIntegerToFloat](octavo),
	row[DequantizeLinear](""),
	row[DynamicQuantize](octavo),
	row[DynamicQuantizeLinear](""),
	row[DynamicQuantizeMatMul](microsoft),
	row[MatMulInteger](""),
	row[MatMulIntegerToFloat](microsoft),
	row[MatMulNBits](microsoft),
	row[QGemm](microsoft),
	row[QLinearAdd](microsoft),
	row[QLinearAveragePool](microsoft),
	row[QLinearConcat](microsoft),
	row[QLinearConv](""),
	row[QLinearGlobalAveragePool](microsoft),
	row[QLinearLeakyRelu](microsoft),
	row[QLinearMatMul](""),
	row[QLinearMul](microsoft),
	row[QLinearReduceMean](microsoft),
	row[QLinearSigmoid](microsoft),
	row[QLinearSoftmax](microsoft),
	row[QLinearWhere](microsoft),
	row[QuantizeLinear](""),
}

// octavo is the domain of the project's own operators.
const octavo = "octavo"
