// Package onnx is the door to ONNX model files: its own codec over the mapped
// file, so that weights are never on the heap, and the rewrites between opset
// versions.
//
// Decode reads opset 1 to 28 and upgrades every node to the newest form
// (upgrade.go, and upgrade_legacy.go for what is older than 7); Encode writes opset 13 to 25, rewriting or expanding what the
// version lacks (lower.go, downgrade.go, expand.go). The door runs no pass and
// knows nothing of quantization beyond the operators' forms. Start at Decode
// and Encode; the message layouts are in messages.go.
package onnx

import "github.com/octavo-ml/octavo/internal/format"

// Format is the door's row in the table of formats.
var Format = format.Format{
	Name:       "onnx",
	Extensions: []string{".onnx"},
	Sniff:      sniff,
	Decode:     Decode,
	Encode:     Encode,
}

// sniff looks for a ModelProto: its first field is almost always ir_version
// (field 1, varint), else producer, domain, opset or graph.
func sniff(head []byte) bool {
	if len(head) < 2 {
		return false
	}
	switch head[0] {
	case 0x08:
		return head[1] > 0 && head[1] < 64
	case 0x12, 0x1a, 0x22, 0x32, 0x3a, 0x42:
		return true
	}
	return false
}
