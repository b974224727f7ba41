package op

// tableAttention holds the operators of transformers and their kin.
var tableAttention = []Entry{
	row[Attention](""),
	row[CausalConvWithState](""),
	row[FlexAttention](preview),
	row[LinearAttention](""),
	row[RotaryEmbedding](""),
	row[SwiGLU](""),
}

// preview is the domain of ONNX's experiments.
const preview = "ai.onnx.preview"
