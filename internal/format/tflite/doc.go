// Package tflite is the door to TensorFlow Lite model files (LiteRT's .tflite,
// schema version 3): its own tables over a reader of FlatBuffers, so that
// weights stay in the mapped file.
//
// Decode reads the operators of convert.go's table into ONNX's vocabulary:
// spatial operators are channels-last and keep the order of the file's
// dimensions, so that no transpose is added; fused activations become
// operators of their own; quantized tensors become pairs of QuantizeLinear and
// DequantizeLinear around real arithmetic, with the graph's arithmetic set to
// TFLite's. The schema is in schema.go and options.go, and knows neither
// reading nor writing.
//
// Encode writes a graph that pass.Lower brought into TensorFlow Lite's form, by
// encode_table.go, the mirror of that table. The door runs no pass. Start at
// [Decode], [Encode] and the two tables.
package tflite

import "github.com/octavo-ml/octavo/internal/format"

// Format is the door's row in the table of formats.
var Format = format.Format{
	Name:       "tflite",
	Extensions: []string{".tflite"},
	Sniff:      sniff,
	Decode:     Decode,
	Encode:     Encode,
	Form:       format.Form{ChannelsLast: true},
}

// identifier is the file identifier, at offset 4.
const identifier = "TFL3"

func sniff(head []byte) bool {
	return len(head) >= 8 && string(head[4:8]) == identifier
}
