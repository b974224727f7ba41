package quant

import (
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/ir"
)

// NodeName is how patterns and messages call a node: its name, or that of its
// first output.
func NodeName(n *ir.Node) string {
	if n.Name != "" {
		return n.Name
	}
	return firstOutput(n)
}

func firstOutput(n *ir.Node) string {
	for _, v := range n.Out {
		if v != nil {
			return v.Name
		}
	}
	return ""
}

// matches reports whether a pattern names the node.
func matches(pattern string, n *ir.Node) bool {
	if typ, ok := strings.CutPrefix(pattern, "op:"); ok {
		return diag.MatchGlob(typ, n.Op.Name())
	}
	return diag.MatchGlob(pattern, NodeName(n))
}
