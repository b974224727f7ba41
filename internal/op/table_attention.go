package op

// tableAttention holds the operators of transformers and their kin.
var tableAttention = []Entry{
	row[Attention](""),
	row[CausalConvWithState](""),
	row[LinearAttention](""),
	row[RotaryEmbedding](""),
	row[SwiGLU](""),
}
