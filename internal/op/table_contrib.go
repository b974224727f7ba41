package op

// tableContrib holds the float operators of ONNX Runtime's own, which its
// optimizer and its exporters put into files (docs/ContribOperators.md of that
// project). Those on integers are in tableQuantized.
var tableContrib = []Entry{
	row[BiasGelu](microsoft),
	row[BiasSplitGelu](microsoft),
	row[DynamicQuantizeLSTM](microsoft),
	row[EmbedLayerNormalization](microsoft),
	row[FastGelu](microsoft),
	row[FusedConv](microsoft),
	row[FusedGemm](microsoft),
	row[FusedMatMul](microsoft),
	row[GroupQueryAttention](microsoft),
	rowAs[MicrosoftAttention](microsoft, "Attention"),
	rowAs[MicrosoftRotaryEmbedding](microsoft, "RotaryEmbedding"),
	row[MultiHeadAttention](microsoft),
	row[QAttention](microsoft),
	row[QEmbedLayerNormalization](microsoft),
	row[QuickGelu](microsoft),
	row[SimplifiedLayerNormalization](""),
	row[SkipLayerNormalization](microsoft),
	row[SkipSimplifiedLayerNormalization](microsoft),
}
