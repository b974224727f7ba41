package op_test

import (
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// contribOps are ONNX Runtime's own operators in the catalogue.
var contribOps = []string{"BiasGelu", "BiasSplitGelu", "DynamicQuantizeLSTM", "EmbedLayerNormalization", "FastGelu", "FusedConv", "FusedGemm",
	"FusedMatMul", "GroupQueryAttention", "MicrosoftAttention", "MicrosoftRotaryEmbedding", "MultiHeadAttention", "QAttention",
	"QEmbedLayerNormalization", "QuickGelu", "SimplifiedLayerNormalization", "SkipLayerNormalization", "SkipSimplifiedLayerNormalization"}

// TestStrangeInputsOfContrib: as TestStrangeInputs.
func TestStrangeInputsOfContrib(t *testing.T) { driveStrange(t, contribOps, 40000, 50) }

// TestContribRefuses: what is not supported is said by name, with what is.
func TestContribRefuses(t *testing.T) {
	f := func(dims ...int) op.Fact { return op.TensorFact(dtype.Float32, op.Known(dims...)) }
	i := func(v ...int32) op.Fact { return op.ConstFact(tensor.FromSlice(v, len(v))) }
	gqa := func(set func(*op.GroupQueryAttention)) op.Op {
		o := op.New[op.GroupQueryAttention]()
		o.NumHeads, o.KVNumHeads = 2, 1
		set(o)
		return o
	}
	attention := func(set func(*op.MicrosoftAttention)) op.Op {
		o := op.New[op.MicrosoftAttention]()
		o.NumHeads = 1
		set(o)
		return o
	}
	cache := []op.Fact{f(1, 2, 2), f(1, 2, 1), f(1, 2, 1), {}, {}, i(1), i(2)}
	projected := []op.Fact{f(1, 2, 1), f(1, 3)}
	for _, c := range []struct {
		op   op.Op
		in   []op.Fact
		want string
	}{
		{gqa(func(o *op.GroupQueryAttention) { o.KQuantType = "PER_TENSOR" }), cache, "NONE is"},
		{gqa(func(o *op.GroupQueryAttention) { o.SlidingWindow = true }), cache, "sliding_window_cache=1 is not supported"},
		{gqa(func(o *op.GroupQueryAttention) { o.KVNumHeads = 3 }), cache, "divisor of num_heads 2"},
		{gqa(func(*op.GroupQueryAttention) {}), []op.Fact{cache[0], cache[1], cache[2], {}, {}, i(1), i(1 << 30)}, "total_sequence_length 1073741824"},
		{gqa(func(*op.GroupQueryAttention) {}), append(append([]op.Fact{}, cache...), op.Fact{}, op.Fact{}, op.Fact{}, op.Fact{}, op.Fact{}, op.Fact{}, op.Fact{}, f(1), f(1)), "q_norm_weight"},
		{attention(func(o *op.MicrosoftAttention) { o.DoRotary = true }), projected, "RotaryEmbedding before MultiHeadAttention is"},
		{attention(func(o *op.MicrosoftAttention) { o.PastPresentShareBuffer = true }), projected, "0 is"},
		{attention(func(o *op.MicrosoftAttention) { o.NumHeads = 2 }), projected, "1 for 2 heads"},
		{attention(func(*op.MicrosoftAttention) {}), append(append([]op.Fact{}, projected...), op.Fact{}, op.TensorFact(dtype.Int32, op.Known(1, 1, 2, 2))), "ranks 1 to 3 are supported"},
		{&op.FusedConv{Group: 1, Activation: "Gelu"}, []op.Fact{f(1, 1, 2), f(1, 1, 1)}, `activation "Gelu" is not known; Relu`},
	} {
		if _, err := c.op.Infer(c.in, 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.op.Name(), err, c.want)
		}
	}
}
