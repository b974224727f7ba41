package tflite

import (
	"fmt"
	"strings"

	"github.com/octavo-ml/octavo/internal/wire/flatbuf"
)

// signature is what a SignatureDef calls the inputs and outputs of the first
// subgraph, by tensor.
type signature struct {
	inputs, outputs map[int]string
}

// ours begins the names of metadata that this project writes.
const ours = "octavo."

// about reads what a file says of itself.
func (d *decoder) about() (*keepModel, signature, error) {
	f, keep := d.f, &keepModel{}
	keep.description = f.root.String(modelDescription)
	list := f.root.Vector(modelMetadata, 4)
	for i := range list.Len() {
		if !f.buf.Spend(operatorCost) {
			break
		}
		m := list.Table(i)
		x := tensorInfo{name: m.String(metadataName), buffer: int(uint32(m.Int32(metadataBuffer, 0)))}
		data, err := d.data(&x)
		if err != nil {
			return nil, signature{}, fmt.Errorf("metadata: %w", err)
		}
		if strings.HasPrefix(x.name, ours) && f.buf.Spend(len(data)) {
			if d.g.Meta == nil {
				d.g.Meta = map[string]string{}
			}
			d.g.Meta[x.name] = strings.ToValidUTF8(string(data), "?")
			continue
		}
		keep.metadata = append(keep.metadata, metadata{x.name, data})
	}
	names := signature{map[int]string{}, map[int]string{}}
	list = f.root.Vector(modelSignatures, 4)
	for i := range list.Len() {
		s := list.Table(i)
		if s.Int32(signatureGraph, 0) != 0 {
			continue
		}
		// The first one stands for the subgraph.
		keep.key = s.String(signatureKey)
		readNames(f, names.inputs, s.Vector(signatureInputs, 4))
		readNames(f, names.outputs, s.Vector(signatureOutputs, 4))
		break
	}
	return keep, names, f.buf.Err()
}

func readNames(f *file, names map[int]string, list flatbuf.Vector) {
	for i := range list.Len() {
		if !f.buf.Spend(operatorCost) {
			return
		}
		m := list.Table(i)
		names[int(uint32(m.Int32(mapTensor, 0)))] = m.String(mapName)
	}
}
