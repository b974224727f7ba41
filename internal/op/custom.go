package op

// Custom is an operator that the catalogue does not have. It is carried with
// its attributes and cannot be inferred or run.
type Custom struct {
	Domain, Type string
	Attrs        []Attr
}

// Name returns the type with its domain, as in "acme::Frobnicate".
func (c *Custom) Name() string {
	if c.Domain == "" {
		return c.Type
	}
	return c.Domain + "::" + c.Type
}

// Infer knows nothing of the outputs.
func (c *Custom) Infer(_ []Fact, outs int) ([]Fact, error) { return make([]Fact, outs), nil }
