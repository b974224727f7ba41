package quant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/affine"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/pass"
)

// The words of Recipe.IO and Recipe.IOLayout.
const (
	ioFloat        = "float"
	ioKeep         = "keep"
	ioChannelsLast = "channels-last"
)

// edgeWord is a word for some inputs and outputs: all, those on one side ("in"
// or "out"), or one by its name.
type edgeWord struct{ who, word string }

// edgeWords reads "WORD", or WORD, in=WORD, out=WORD and NAME=WORD with commas
// between. Of several that are for the same value the last counts.
func edgeWords(key, text string) ([]edgeWord, error) {
	if text == "" {
		return nil, nil
	}
	words := WordsOf(key)
	var out []edgeWord
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		i := strings.LastIndex(part, "=")
		w := edgeWord{"", part[i+1:]}
		if i >= 0 {
			w.who = part[:i]
		}
		if i == 0 {
			return nil, diag.Usagef("%s %q: no name stands before =", key, text).Note("want a word, or in=WORD,out=WORD, or NAME=WORD for one input or output")
		}
		if err := words.Check(key, w.word); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// edgeWords checks what the recipe says of inputs and outputs as far as no
// graph is needed for it.
func (s *settings) edgeWords() (types, layouts []edgeWord, err error) {
	if types, err = edgeWords("io", s.recipe.IO); err != nil {
		return nil, nil, err
	}
	for _, w := range types {
		if w.word != ioFloat {
			if _, err := pick(w.word, s.target.Activations.Types, "inputs and outputs", s.target.Name); err != nil {
				return nil, nil, err
			}
		}
	}
	layouts, err = edgeWords("io-layout", s.recipe.IOLayout)
	return types, layouts, err
}

// wanted returns, by the names of inputs and outputs of g, the last word that
// is for each and fits it. A word that fits none of those it is for is an
// error with the reason.
func wanted(g *ir.Graph, key, text string, words []edgeWord, off string, fits func(v *ir.Value) string) (map[string]string, error) {
	var all []string
	for _, v := range slices.Concat(g.Inputs, g.Outputs) {
		all = append(all, v.Name)
	}
	out := map[string]string{}
	for _, w := range words {
		var values []*ir.Value
		switch i := slices.Index(all, w.who); {
		case w.who == "":
			values = slices.Concat(g.Inputs, g.Outputs)
		case w.who == "in":
			values = g.Inputs
		case w.who == "out":
			values = g.Outputs
		case i < 0:
			return nil, diag.Usagef("%s %q: the model has no input or output %q", key, text, w.who).
				Suggest(w.who, all, "inputs and outputs").Note("in and out stand for all of them")
		default:
			values = slices.Concat(g.Inputs, g.Outputs)[i : i+1]
		}
		did, why := false, ""
		if len(values) == 0 {
			why = "the model has none"
		}
		for _, v := range values {
			reason := fits(v)
			if w.word == off {
				delete(out, v.Name)
			} else if reason == "" {
				out[v.Name], did = w.word, true
			} else if why == "" {
				why = fmt.Sprintf("%q is %v%v: %s", v.Name, v.Type, v.Shape, reason)
			}
		}
		if w.word != off && !did {
			return nil, diag.Usagef("%s %q: %s", key, text, why).Note("%s=%s leaves a value as it is", key, off)
		}
	}
	return out, nil
}

// rigid says why an input or output of g cannot become another one than it is;
// "" if it can.
func rigid(g *ir.Graph, v *ir.Value) string {
	switch {
	case v.Const != nil:
		return "it is constant"
	case slices.Contains(g.Inputs, v) && g.IsOutput(v):
		return "it is an input and an output at once"
	}
	return ""
}

// edges works out what the recipe wants of inputs and outputs of g.
func (s *settings) edges(g *ir.Graph) ([]pass.Edge, error) {
	types, layouts, err := s.edgeWords()
	if err != nil {
		return nil, err
	}
	integers, err := wanted(g, "io", s.recipe.IO, types, ioFloat, func(v *ir.Value) string {
		if v.Type != dtype.Float32 {
			return "only float32 values become integers by a scale"
		}
		return rigid(g, v)
	})
	if err != nil {
		return nil, err
	}
	moved, err := wanted(g, "io-layout", s.recipe.IOLayout, layouts, ioKeep, func(v *ir.Value) string {
		if rank := len(v.Shape); rank < 3 || rank > 5 {
			return "channels-last is for ranks 3 to 5, with the channels on axis 1"
		}
		return rigid(g, v)
	})
	if err != nil {
		return nil, err
	}
	var out []pass.Edge
	for _, v := range slices.Concat(g.Inputs, g.Outputs) {
		e := pass.Edge{Value: v.Name, ChannelsLast: moved[v.Name] != ""}
		if name := integers[v.Name]; name != "" {
			t, err := dtype.Parse(name)
			if err != nil {
				return nil, err
			}
			e.Params = affine.Params{Type: t}
		}
		if (e.ChannelsLast || e.Params.Type != dtype.Invalid) && !slices.ContainsFunc(out, func(o pass.Edge) bool { return o.Value == v.Name }) {
			out = append(out, e)
		}
	}
	return out, nil
}

// placeEdges adds the points of inputs and outputs that are to be integers, so
// that they have a scale: all that read one see it rounded.
func (p *placer) placeEdges() error {
	var err error
	if p.out.Edges, err = p.edges(p.g); err != nil {
		return err
	}
	for _, e := range p.out.Edges {
		if e.Params.Type == dtype.Invalid {
			continue
		}
		for _, v := range slices.Concat(p.g.Inputs, p.g.Outputs) {
			if _, has := p.dequantized[v]; v.Name != e.Value || has {
				continue
			}
			_, had := p.points[v]
			if pt := p.point(v, nil, nil); !had {
				pt.Type, pt.Symmetric = e.Params.Type, p.symmetricIn(e.Params.Type)
			}
		}
	}
	return nil
}
