package pass

// constraint says that one pass of prepare stands before another.
type constraint struct {
	before, after string
	why           string
}

var order = []constraint{
	{"bind_captures", "infer_shapes", "what a weight tells is known in a body only where it is the body's own"},
	{"infer_shapes", "fold_constants", "sizes are checked before anything is computed"},
	{"fold_constants", "fix_reshapes", "sizes that are all known are constants already"},
	{"fold_constants", "inline_branches", "the condition must be known"},
	{"inline_branches", "eliminate_identity", "outputs that a branch hands on come through Identity"},
	{"fold_constants", "eliminate_identity", "weights that reach their node through Identity are constants only after folding"},
	{"fold_constants", "fold_batchnorm", "exporters hide statistics behind Identity and shape arithmetic"},
	{"eliminate_identity", "fuse_layer_normalization", "patterns are matched without Identity, Cast and Reshape that do nothing"},
	{"fold_constants", "fuse_gelu", "the constants of the pattern must be known"},
	{"fuse_pad_into_conv", "fold_batchnorm", "a Pad between two convolutions is no reason to keep a BatchNormalization"},
	{"fuse_conv_add", "fold_batchnorm", "a bias that stands apart hides the Conv from its BatchNormalization"},
	{"fold_batchnorm", "fuse_matmul_add", "a folded BatchNormalization needs the Gemm or Conv it follows"},
	{"merge_clips", "eliminate_dead", "bounds that were merged leave nodes behind"},
}
