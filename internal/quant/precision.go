package quant

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
)

// floating is the mode of nodes that stay as they are.
const floating Mode = "float"

// precision is how a node computes.
type precision struct {
	mode Mode
	// weight and activation are the types of integers, Invalid where the mode
	// has none.
	weight, activation dtype.Type
	// block is how many elements along the input channels share a scale; 0: a
	// channel or the tensor does.
	block int
	// asked says that an override names the node.
	asked bool
}

// String names a precision in summaries.
func (p precision) String() string {
	switch p.mode {
	case Static:
		return fmt.Sprintf("w%da%d", p.weight.Bits(), p.activation.Bits())
	case Dynamic:
		return fmt.Sprintf("%v weights, activations as it runs", p.weight)
	case WeightOnly:
		if p.block > 0 {
			return fmt.Sprintf("%v in groups of %d", p.weight, p.block)
		}
		return p.weight.String() + " weights"
	}
	return string(p.mode)
}

// leastGroup to mostGroup are the sizes that groups of weights can have, powers
// of two (MatMulNBits).
const leastGroup, mostGroup, defaultGroup = 16, 256, 32

// group reads the N of group:N.
func group(what, text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < leastGroup || n > mostGroup || n&(n-1) != 0 {
		return 0, diag.Usagef("%s: groups of %q weights: want a power of two from %d to %d", what, text, leastGroup, mostGroup).
			Note("32 is the most usual; 128 takes less room and is less accurate")
	}
	return n, nil
}

// granularity reads what shares a scale: the word and, for groups, their size.
func granularity(text string) (word string, block int, err error) {
	if n, ok := strings.CutPrefix(text, perGroup+":"); ok {
		block, err = group("granularity", n)
		return perGroup, block, err
	}
	return text, 0, checkWord("weights.granularity", "granularity", text)
}

// overridePrecision reads the word of an override.
func (s *settings) overridePrecision(o Override) (precision, error) {
	what := fmt.Sprintf("override %q: precision", o.Match)
	word, size, grouped := strings.Cut(o.Precision, ":")
	block := 0
	if grouped {
		n, ok := strings.CutPrefix(size, "g")
		if !ok || word != precW4A16 {
			return precision{}, WordsOf("overrides.precision").Check(what, o.Precision)
		}
		var err error
		if block, err = group(what, n); err != nil {
			return precision{}, err
		}
	}
	p := precision{asked: true, block: block, weight: dtype.Int8}
	switch {
	case word == precFloat:
		return precision{mode: floating, asked: true}, nil
	case slices.Contains([]Mode{Float16, BFloat16, Dynamic, WeightOnly}, Mode(word)):
		return s.of(Mode(word), true)
	case word == precInt8 || word == precW8A8:
		if p.mode, p.activation = Static, s.activation; s.activation.Bits() != 8 {
			p.activation = s.firstActivation(8)
		}
		if p.weight = s.weight; s.weight.Bits() != 8 {
			p.weight = dtype.Int8
		}
	case word == precW4A8:
		p.mode, p.weight, p.activation = Static, dtype.Int4, s.firstActivation(8)
	case word == precW8A16:
		p.mode, p.activation = Static, s.firstActivation(16)
	case word == precW4A16:
		p.mode, p.weight = WeightOnly, dtype.Int4
	default:
		return precision{}, WordsOf("overrides.precision").Check(what, o.Precision)
	}
	return p, s.accepts(what, o.Precision, p)
}

// firstActivation returns the target's preferred type of so many bits, Invalid
// where it has none.
func (s *settings) firstActivation(bits int) dtype.Type {
	for _, name := range s.target.Activations.Types {
		if t, err := dtype.Parse(name); err == nil && t.Bits() == bits {
			return t
		}
	}
	return dtype.Invalid
}

// accepts returns an error unless the target runs a precision.
func (s *settings) accepts(what, word string, p precision) error {
	var types []string
	switch p.mode {
	case Static:
		types = s.target.Weights.Types
		if p.activation == dtype.Invalid {
			return diag.Usagef("%s %s: target %s takes no such activations", what, word, s.target.Name).
				Note("it takes: %s", strings.Join(s.target.Activations.Types, ", "))
		}
	default:
		m := s.target.Mode(string(p.mode))
		if m == nil {
			return s.noMode(p.mode)
		}
		types = m.Types
	}
	if m := s.target.Mode(string(p.mode)); m != nil && m.Ungrouped && p.block > 0 {
		return s.noGroups(p.mode, "leave the size of the groups away")
	}
	if p.weight != dtype.Invalid && !slices.Contains(types, p.weight.String()) {
		return diag.Usagef("%s %s: target %s takes no %s weights so", what, word, s.target.Name, p.weight).Note("it takes: %s", strings.Join(types, ", "))
	}
	return nil
}

// noGroups is the error of groups that the target has no scales for.
func (s *settings) noGroups(m Mode, instead string) error {
	return diag.Usagef("mode %s: target %s has one scale for each channel of a weight or one in all, none for groups", m, s.target.Name).Note("%s", instead)
}

// noMode is the error of a mode that the target has no rule for.
func (s *settings) noMode(m Mode) error {
	e := diag.Usagef("mode %s: target %s runs nothing so", m, s.target.Name)
	modes := []string{string(Static)}
	for _, r := range s.target.Modes {
		modes = append(modes, r.Mode)
	}
	return e.Note("its modes: %s", strings.Join(modes, ", ")).Note("octavo targets NAME shows what a target accepts")
}

// of returns what a mode of the recipe means for every node.
func (s *settings) of(m Mode, asked bool) (precision, error) {
	p := precision{mode: m, asked: asked}
	switch m {
	case Static:
		p.weight, p.activation = s.weight, s.activation
		return p, nil
	case Dynamic, WeightOnly, Float16, BFloat16:
	default:
		return p, nil
	}
	r := s.target.Mode(string(m))
	if r == nil {
		return p, s.noMode(m)
	}
	if m == Float16 || m == BFloat16 {
		return p, nil
	}
	name := s.recipe.Weights.DType
	if asked && !slices.Contains(r.Types, name) {
		name = "" // the recipe's type is that of another mode
	}
	var err error
	if p.weight, err = pick(name, r.Types, "weights", s.target.Name); err != nil {
		return p, err
	}
	if m == WeightOnly {
		if p.block = s.block; p.block > 0 && r.Ungrouped {
			return p, s.noGroups(m, "--granularity channel")
		}
	} else {
		p.activation = dtype.Uint8
		if r.Activation != "" {
			if p.activation, err = dtype.Parse(r.Activation); err != nil {
				return p, err
			}
		}
		if s.block > 0 && !asked {
			return p, diag.Usagef("mode dynamic: weights have one scale a channel or one in all, no groups").Note("--granularity channel, or --mode weight-only")
		}
	}
	return p, nil
}

// precisions works out how each node is to compute: as the recipe's mode has
// it, or as the last override that names it; floating for those that are not
// wanted, whose reasons p.kept holds.
func (p *placer) precisions() error {
	p.precision = map[*ir.Node]precision{}
	base, err := p.of(p.mode, false)
	if err != nil {
		return err
	}
	for _, n := range p.g.Nodes {
		p.precision[n] = p.preferred(n, base)
		if _, kept := p.kept[n]; kept {
			p.precision[n] = precision{mode: floating}
		}
	}
	for _, o := range p.recipe.Overrides {
		if o.Precision == "" {
			continue
		}
		want, err := p.overridePrecision(o)
		if err != nil {
			return err
		}
		for _, n := range p.g.Nodes {
			if !matches(o.Match, n) {
				continue
			}
			if p.precision[n] = want; want.mode == floating {
				p.kept[n] = fmt.Sprintf("kept float (override %q)", o.Match)
			} else {
				delete(p.kept, n)
			}
		}
	}
	for n, q := range p.precision {
		if _, kept := p.kept[n]; !kept && q.mode != Static && q.mode != floating {
			p.other[n] = q
		}
	}
	return nil
}

// preferred returns base with the activations that the target likes the operator
// of n to have, where the recipe leaves that to it.
func (p *placer) preferred(n *ir.Node, base precision) precision {
	if base.mode != Static || p.recipe.Activations.DType != "" || p.parity {
		return base
	}
	if r := p.target.Rule(n.Op.Name()); r != nil && r.Prefers != "" {
		base.activation, _ = dtype.Parse(r.Prefers) // the target has parsed it
	}
	return base
}

// symmetricIn reports whether activations of a type have zero points in the
// middle.
func (s *settings) symmetricIn(t dtype.Type) bool {
	if s.recipe.Activations.Symmetric != nil {
		return *s.recipe.Activations.Symmetric
	}
	return s.target.Activations.IsSymmetric(t)
}

// symmetric reports whether weights of a type have zero points of 0.
func (s *settings) symmetric(t dtype.Type) bool {
	if s.recipe.Weights.Symmetric != nil {
		return *s.recipe.Weights.Symmetric
	}
	return t.IsSigned()
}

// patterns works out which nodes the recipe keeps float. A pattern that
// matches nothing is an error with the nearest names.
func (p *placer) patterns() error {
	p.kept = map[*ir.Node]string{}
	check := func(flag, pattern string) error {
		for _, n := range p.g.Nodes {
			if matches(pattern, n) {
				return nil
			}
		}
		var names []string
		for _, n := range p.g.Nodes {
			names = append(names, NodeName(n))
			if t := "op:" + n.Op.Name(); !slices.Contains(names, t) {
				names = append(names, t)
			}
		}
		return diag.Usagef("%s %q matches no node", flag, pattern).Suggest(pattern, names, "").Note("octavo inspect MODEL --tensors lists the nodes")
	}
	for _, pat := range p.recipe.Only {
		if err := check("only", pat); err != nil {
			return err
		}
	}
	for _, pat := range p.recipe.Keep {
		if err := check("keep", pat); err != nil {
			return err
		}
	}
	for _, o := range p.recipe.Overrides {
		if err := check("override", o.Match); err != nil {
			return err
		}
	}
	for _, n := range p.g.Nodes {
		if len(p.recipe.Only) > 0 && !slices.ContainsFunc(p.recipe.Only, func(s string) bool { return matches(s, n) }) {
			p.kept[n] = "not among those asked for (only)"
		}
		for _, pat := range p.recipe.Keep {
			if matches(pat, n) {
				p.kept[n] = fmt.Sprintf("kept float (keep %q)", pat)
			}
		}
	}
	return nil
}
