package onnx

import (
	"errors"
	"fmt"
)

// upgradeScan: at opset 8 Scan had an axis of batches before all others, and the
// lengths of the sequences as first input. A Scan over the batches stands around
// the Scan of each (ONNX operator changelog, Scan-8).
func upgradeScan(u *upgrader, n *node) ([]*node, error) {
	if u.opset >= 9 {
		return []*node{n}, nil
	}
	if len(n.in) < 2 {
		return nil, errors.New("want the lengths of sequences, which may be left out, and what is scanned")
	}
	if n.in[0] != "" {
		return nil, errors.New("sequences of different lengths are not read; sequences of one length are")
	}
	scanned, ok := n.take("num_scan_inputs")
	if !ok {
		return nil, errors.New("attribute num_scan_inputs is missing")
	}
	body, ok := n.take("body")
	if !ok {
		return nil, errors.New("attribute body is missing")
	}
	g, err := body.body()
	if err != nil {
		return nil, fmt.Errorf("attribute body: %w", err)
	}
	body.graph = g
	each := nodeProto{name: n.name, op: "Scan", opset: 9, attrs: []attrProto{scanned, body}}
	if d, ok := n.take("directions"); ok {
		d.name = "scan_input_directions"
		each.attrs = append(each.attrs, d)
	}
	batch := &graphProto{name: n.first() + "_batch"}
	for range n.in[1:] {
		name := u.name(n.first() + "_in")
		each.in, batch.inputs = append(each.in, name), append(batch.inputs, valueProto{name: name})
	}
	for range g.outputs {
		name := u.name(n.first() + "_out")
		each.out, batch.outputs = append(each.out, name), append(batch.outputs, valueProto{name: name})
	}
	batch.nodes = []nodeProto{each}
	n.in = n.in[1:]
	n.attrs = append(n.attrs, attrProto{name: "num_scan_inputs", typ: attrInt, i: int64(len(n.in))}, attrProto{name: "body", typ: attrGraph, graph: batch})
	return []*node{n}, nil
}
