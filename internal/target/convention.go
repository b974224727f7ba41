package target

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
)

// Rest is what becomes of the operators that a target does not run on integers.
type Rest struct {
	// Where is the device that runs them, such as "the CPU".
	Where string `json:"where"`
	// Behind says that, from the first of them on in the order of the graph, all
	// operators run there.
	Behind bool `json:"behind,omitempty"`
	// Cost says in one sentence what that means for the user.
	Cost string `json:"cost"`
	// Source is the ID of where this was read.
	Source string `json:"source"`
}

// IsSymmetric reports whether the convention forces the zero point of a type to
// the middle.
func (c Convention) IsSymmetric(t dtype.Type) bool {
	return c.Symmetric || slices.Contains(c.SymmetricTypes, t.String())
}

// Of returns the parameters that are prescribed for a type, and false where
// none are.
func (f *Fixed) Of(t dtype.Type) (scale float64, zeroPoint int64, ok bool) {
	if f == nil {
		return 0, 0, false
	}
	zeroPoint, ok = f.ZeroPoint[t.String()]
	if scale = f.Scale; f.Scales[t.String()] != 0 {
		scale = f.Scales[t.String()]
	}
	return scale, zeroPoint, ok
}

// RunBy names what runs the operator where that is not the target itself, or is
// slow, "" elsewhere; constant says whether its weight is.
func (r *Rule) RunBy(constant bool) string {
	if r.ConstantWeight && constant {
		return ""
	}
	return r.By
}

// OneScale reports whether a weight has one scale beside activations of a type.
func (r *Rule) OneScale(activation dtype.Type) bool {
	return r.PerTensor || slices.Contains(r.PerTensorTypes, activation.String())
}

// Allows reports whether the operator runs with that value of an attribute.
func (r *Rule) Allows(attribute string, value any) bool {
	values, limited := r.Where[attribute]
	return !limited || slices.Contains(values, fmt.Sprint(value))
}

// validate checks what the fields of a rule say together.
func (r *Rule) validate() error {
	for _, name := range r.Types {
		if _, err := dtype.Parse(name); err != nil {
			return err
		}
	}
	if r.Prefers != "" {
		if _, err := dtype.Parse(r.Prefers); err != nil || len(r.Types) > 0 && !slices.Contains(r.Types, r.Prefers) {
			return fmt.Errorf("it prefers %q, which is not among its types", r.Prefers)
		}
	}
	for attribute, values := range r.Where {
		if len(values) == 0 {
			return fmt.Errorf("attribute %s has no value with which it runs", attribute)
		}
	}
	if r.Fixed == nil {
		return nil
	}
	if r.Kind != Compute || !(r.Fixed.Scale > 0) || len(r.Fixed.ZeroPoint) == 0 {
		return fmt.Errorf("a fixed output is for kind compute, with a scale above 0 and the zero point of a type")
	}
	for name, scale := range r.Fixed.Scales {
		if _, known := r.Fixed.ZeroPoint[name]; !known || !(scale > 0) {
			return fmt.Errorf("scale %g of %s: want one above 0, of a type with a zero point", scale, name)
		}
	}
	for name, zero := range r.Fixed.ZeroPoint {
		t, err := dtype.Parse(name)
		if err != nil {
			return err
		}
		if lo, hi := t.Range(); zero < lo || zero > hi {
			return fmt.Errorf("zero point %d is outside %s", zero, name)
		}
	}
	return nil
}
