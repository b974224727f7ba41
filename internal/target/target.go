// Package target is what runtimes and devices accept, and their conventions,
// as data: one JSON file for each, every rule with its source.
//
// It knows operator names and element types; it knows no graph and decides
// nothing. Start at [Load] and the fields of [Target].
package target

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
)

//go:embed *.json
var files embed.FS

// Target describes where a quantized model will run.
type Target struct {
	Name    string   `json:"name"`
	About   string   `json:"about"`
	Sources []Source `json:"sources"`
	// MaxOpset is the highest ai.onnx version the runtime loads.
	MaxOpset       int    `json:"max_opset"`
	MaxOpsetSource string `json:"max_opset_source"`
	// Domains are the operator domains beside ONNX's own whose operators the
	// runtime brings.
	Domains     []Domain   `json:"domains,omitempty"`
	Activations Convention `json:"activations"`
	Weights     Convention `json:"weights"`
	// Bias is the type of quantized biases, "" where they stay float.
	Bias       string `json:"bias"`
	BiasSource string `json:"bias_source"`
	// BiasRoom is how many times the greatest bias must fit into its type: where
	// it does not, the scale of the weight is enlarged. 0 counts as 1.
	BiasRoom float64 `json:"bias_room,omitempty"`
	// Whole says that operators with a rule are quantized whatever they read:
	// float ones are what costs on the target.
	Whole bool `json:"whole,omitempty"`
	// Beside says that operators on floats run beside those on integers for
	// little more: what only they read stays float.
	Beside bool `json:"beside,omitempty"`
	// AvoidTies says that the runtime rounds products and means of integers from
	// float32 in another order than ONNX: their scales keep off the numbers that
	// the two would round differently.
	AvoidTies bool `json:"avoid_ties,omitempty"`
	// RowBias says that a product of data of any rank with a matrix adds its bias
	// itself: one that stands alone would be rounded twice more.
	RowBias bool `json:"row_bias,omitempty"`
	// Rest is what becomes of operators that are not quantized; nil: they are
	// computed on floats beside the others.
	Rest *Rest `json:"rest,omitempty"`
	// Operators lists the rules; an operator without one stays float.
	Operators []Rule `json:"operators"`
	// Modes lists what the target does beside integers with fixed ranges, which
	// Operators are about; a mode without a row is none of it.
	Modes []ModeRule `json:"modes,omitempty"`
}

// ModeRule is what a target does in one mode of quantization.
type ModeRule struct {
	// Mode is dynamic, weight-only, float16 or bfloat16.
	Mode string `json:"mode"`
	// Types are the accepted element types of weights, the preferred first.
	Types []string `json:"types,omitempty"`
	// Operators lists those that run in the mode; empty: all.
	Operators []string `json:"operators,omitempty"`
	// Asked lists those that run in it, but only where a recipe names them.
	Asked []string `json:"asked,omitempty"`
	// Activation is the type that activations get as the model runs; "" is uint8
	// in mode dynamic, and means nothing in others.
	Activation string `json:"activation,omitempty"`
	// RowsOf lists the operators of whose activations each row has a range in
	// any case.
	RowsOf []string `json:"rows_of,omitempty"`
	// Channels lists the operators that run in the mode only where each of
	// several channels of the weight has a scale.
	Channels []string `json:"channels,omitempty"`
	// LeastElements is the size below which weights stay as they are, unless a
	// recipe names what reads them.
	LeastElements int `json:"least_elements,omitempty"`
	// Ungrouped says that groups of weights have no scale of their own: a channel
	// has one, or all have.
	Ungrouped bool `json:"ungrouped,omitempty"`
	// NBits are the widths of weights that MatMulNBits takes.
	NBits []int `json:"nbits,omitempty"`
	// Rows says that mode dynamic may have a range for each row of what a product
	// reads.
	Rows bool `json:"rows,omitempty"`
	// Storage says that numbers are only stored so: a Cast comes before they
	// are used.
	Storage bool `json:"storage,omitempty"`
	// Source is the ID of where this was read or measured.
	Source string `json:"source"`
}

// Source says where rules come from and when they were read or measured.
type Source struct {
	ID   string `json:"id"`
	What string `json:"what"`
	Date string `json:"date"` // 2006-01-02
}

// Domain is a set of operators that the runtime brings.
type Domain struct {
	Name string `json:"name"`
	// Catalogue says that only the operators that octavo knows are meant.
	Catalogue bool `json:"catalogue,omitempty"`
	// Source is the ID of where this was read.
	Source string `json:"source"`
}

// Convention is how the target likes one kind of value.
type Convention struct {
	// Types are the accepted element types, the preferred first.
	Types []string `json:"types"`
	// Symmetric forces the zero point to the middle.
	Symmetric bool `json:"symmetric"`
	// SymmetricTypes are those whose zero point is in the middle where not all
	// are symmetric.
	SymmetricTypes []string `json:"symmetric_types,omitempty"`
	// MinRange is the least distance between the ends of a range.
	MinRange float64 `json:"min_range,omitempty"`
	// Granularity is "channel" or "tensor".
	Granularity string `json:"granularity,omitempty"`
	// Source is the ID of where this was read or measured.
	Source string `json:"source"`
}

// Kind says what quantizing an operator means on the target.
type Kind string

// The kinds of rules.
const (
	// Compute: inputs and outputs have parameters of their own.
	Compute Kind = "compute"
	// Share: the output has the parameters of its data input, and the node is
	// quantized only if its input is.
	Share Kind = "share"
	// Join: all data inputs and the output have the same parameters, for the
	// union of their ranges. An input whose parameters are prescribed otherwise
	// is quantized again.
	Join Kind = "join"
	// Clamp: behind a quantized producer the node is absorbed into the range.
	Clamp Kind = "clamp"
)

// Rule is what holds for one operator.
type Rule struct {
	Op   string `json:"op"`
	Kind Kind   `json:"kind"`
	// Types restricts the activation types; empty: those of the target.
	Types []string `json:"types,omitempty"`
	// PerTensor says that weights of this operator have one scale.
	PerTensor bool `json:"per_tensor,omitempty"`
	// PerTensorTypes are the types of activations with which they have one scale.
	PerTensorTypes []string `json:"per_tensor_types,omitempty"`
	// ConstantWeight says that the target itself runs the operator only where its
	// weight is constant; where it is computed, By does, and if that is empty the
	// operator has no integer form.
	ConstantWeight bool `json:"constant_weight,omitempty"`
	// Computed says why the operator stays float where its weight is computed, with
	// 8 bits, unless a recipe names it; "" where it does not.
	Computed string `json:"computed,omitempty"`
	// Fuses says that a limit behind the operator (Relu, Clip) is part of it.
	Fuses bool `json:"fuses,omitempty"`
	// Where lists, by attribute, the values with which the operator runs.
	Where map[string][]string `json:"where,omitempty"`
	// FloatOutput says that the runtime has a kernel from integers to float,
	// so that the output need not be quantized.
	FloatOutput bool `json:"float_output,omitempty"`
	// Fixed is the range of the output that the target prescribes.
	Fixed *Fixed `json:"fixed,omitempty"`
	// By names what runs the operator on integers where that is slower than the
	// rest of the target, such as "the CPU".
	By string `json:"by,omitempty"`
	// Asked says why the operator stays float unless a recipe names it; "" where
	// it does not.
	Asked string `json:"asked,omitempty"`
	// Prefers is the type of the operator's activations where a recipe names none;
	// "" is the target's first.
	Prefers string `json:"prefers,omitempty"`
	// Source is the ID of where the rule was read.
	Source string `json:"source"`
}

// Fixed prescribes output parameters by type.
type Fixed struct {
	Scale     float64          `json:"scale"`
	ZeroPoint map[string]int64 `json:"zero_point"`
	// Scales holds the scales of types that have another one than Scale.
	Scales map[string]float64 `json:"scales,omitempty"`
}

// Names returns the known targets in order.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".json"))
	}
	return out
}

// Load returns the target of that name. The error gives the nearest names.
func Load(name string) (*Target, error) {
	b, err := files.ReadFile(name + ".json")
	if err != nil || !slices.Contains(Names(), name) {
		return nil, diag.Usagef("unknown target %q", name).Suggest(name, Names(), "known").Note("octavo targets lists what each accepts")
	}
	t, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", name, err)
	}
	return t, nil
}

func parse(b []byte) (*Target, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var t Target
	if err := d.Decode(&t); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("text behind the object")
	}
	return &t, t.validate()
}

func (t *Target) validate() error {
	for _, c := range []Convention{t.Activations, t.Weights} {
		if len(c.Types) == 0 {
			return fmt.Errorf("a convention without types")
		}
		for _, name := range c.Types {
			if _, err := dtype.Parse(name); err != nil {
				return err
			}
		}
		for _, name := range c.SymmetricTypes {
			if !slices.Contains(c.Types, name) {
				return fmt.Errorf("symmetric type %q is not among the types", name)
			}
		}
	}
	seen := map[string]bool{}
	for _, r := range t.Operators {
		if seen[r.Op] {
			return fmt.Errorf("two rules for %s", r.Op)
		}
		seen[r.Op] = true
		if !slices.Contains([]Kind{Compute, Share, Join, Clamp}, r.Kind) {
			return fmt.Errorf("%s: unknown kind %q", r.Op, r.Kind)
		}
		if err := r.validate(); err != nil {
			return fmt.Errorf("%s: %w", r.Op, err)
		}
	}
	modes := map[string]bool{}
	for _, m := range t.Modes {
		if !slices.Contains(Modes, m.Mode) || modes[m.Mode] {
			return fmt.Errorf("mode %q is not known, or listed twice", m.Mode)
		}
		modes[m.Mode] = true
		for _, name := range append(slices.Clone(m.Types), m.Activation) {
			if _, err := dtype.Parse(name); name != "" && err != nil {
				return err
			}
		}
	}
	return t.checkSources()
}

// Modes are those that a target can have a row for.
var Modes = []string{"dynamic", "weight-only", "float16", "bfloat16"}

// Mode returns what the target does in a mode, nil if nothing.
func (t *Target) Mode(name string) *ModeRule {
	for i := range t.Modes {
		if t.Modes[i].Mode == name {
			return &t.Modes[i]
		}
	}
	return nil
}

// Runs reports whether an operator runs in the mode; asked says that a recipe
// names it.
func (m *ModeRule) Runs(op string, asked bool) bool {
	return len(m.Operators) == 0 || slices.Contains(m.Operators, op) || asked && slices.Contains(m.Asked, op)
}

// checkSources holds that everything has a source that is listed with a date,
// and that every listed source is used.
func (t *Target) checkSources() error {
	used := map[string]bool{}
	for _, s := range t.Sources {
		if _, err := time.Parse(time.DateOnly, s.Date); err != nil || s.What == "" {
			return fmt.Errorf("source %q: want what it is, and a date such as 2006-01-02", s.ID)
		}
		if _, twice := used[s.ID]; twice {
			return fmt.Errorf("source %q is listed twice", s.ID)
		}
		used[s.ID] = false
	}
	claims := []struct{ what, source string }{
		{"max_opset", t.MaxOpsetSource}, {"activations", t.Activations.Source}, {"weights", t.Weights.Source}, {"bias", t.BiasSource},
	}
	for _, d := range t.Domains {
		claims = append(claims, struct{ what, source string }{"domain " + d.Name, d.Source})
	}
	for _, r := range t.Operators {
		claims = append(claims, struct{ what, source string }{r.Op, r.Source})
	}
	for _, m := range t.Modes {
		claims = append(claims, struct{ what, source string }{"mode " + m.Mode, m.Source})
	}
	if t.Rest != nil {
		claims = append(claims, struct{ what, source string }{"rest", t.Rest.Source})
	}
	for _, c := range claims {
		if _, ok := used[c.source]; !ok {
			return fmt.Errorf("%s: source %q is not listed", c.what, c.source)
		}
		used[c.source] = true
	}
	for _, s := range t.Sources {
		if !used[s.ID] {
			return fmt.Errorf("source %q is used by nothing", s.ID)
		}
	}
	return nil
}

// Brings reports whether the runtime has operators of the domain that are not
// ONNX's own; known says whether octavo knows the one that is meant.
func (t *Target) Brings(domain string, known bool) bool {
	return slices.ContainsFunc(t.Domains, func(d Domain) bool { return d.Name == domain && (known || !d.Catalogue) })
}

// Rule returns the rule for an operator, nil if it stays float.
func (t *Target) Rule(op string) *Rule {
	for i := range t.Operators {
		if t.Operators[i].Op == op {
			return &t.Operators[i]
		}
	}
	return nil
}

// Accepts reports whether the operator can have activations of the type.
func (t *Target) Accepts(op string, typ dtype.Type) bool {
	r := t.Rule(op)
	if r == nil {
		return false
	}
	types := r.Types
	if len(types) == 0 {
		types = t.Activations.Types
	}
	return slices.Contains(types, typ.String())
}

// Activation returns the preferred activation type.
func (t *Target) Activation() dtype.Type { return mustType(t.Activations.Types[0]) }

// Weight returns the preferred weight type.
func (t *Target) Weight() dtype.Type { return mustType(t.Weights.Types[0]) }

func mustType(name string) dtype.Type {
	t, err := dtype.Parse(name)
	if err != nil {
		panic(err) // validate has parsed it
	}
	return t
}
