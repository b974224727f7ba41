package tflite

import (
	"fmt"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/op"
)

// domain is that of operators that are carried as they are.
const domain = "tflite"

// custom carries an operator that has no conversion: its options stay bytes,
// and of its outputs holds what the file declares.
func (s *scope) custom() error {
	name, _ := codeName(s.o.code)
	if s.o.code == codeCustom {
		name = s.o.custom
		if name == "" {
			return fmt.Errorf("a custom operator without a name")
		}
		if strings.HasPrefix(name, "Flex") {
			return &diag.UnsupportedError{Where: s.d.src.Path, What: fmt.Sprintf("the TensorFlow operator %s", name), Hint: "convert the model without SELECT_TF_OPS"}
		}
	}
	n := &ir.Node{Op: &op.Custom{Domain: domain, Type: name}}
	for k := range s.o.in {
		if s.has(k) {
			n.In = append(n.In, s.raw(k))
		} else {
			n.In = append(n.In, nil)
		}
	}
	for _, i := range s.o.out {
		if i < 0 {
			n.Out = append(n.Out, nil)
			continue
		}
		x := &s.sub.tensors[i]
		f, err := s.d.fact(x, s.names[i])
		if err != nil {
			return err
		}
		if s.stored[i] != nil {
			return fmt.Errorf("tensor %q is computed twice", x.name)
		}
		s.stored[i] = &ir.Value{Name: s.names[i], Fact: f}
		n.Out = append(n.Out, s.stored[i])
	}
	if s.err != nil {
		return s.err
	}
	if len(n.Out) == 0 || n.Out[0] == nil {
		return fmt.Errorf("it has no first output")
	}
	n.Name, n.Origin = n.Out[0].Name, n.Out[0].Name
	n.Keep = &keepNode{s.o.opCode, s.o.table.Vector(operatorCustomOptions, 1).Bytes()}
	s.d.custom[n.Op.Name()]++
	s.g.Nodes = append(s.g.Nodes, n)
	return nil
}
