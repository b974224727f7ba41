package tflite

// conversion is how an operator becomes nodes.
type conversion struct {
	name    string // as in codeNames
	options string // its table in the union BuiltinOptions, "" for none
	version int    // the newest that is read: what LiteRT's register.cc has
	in, out int    // the inputs and outputs that must be there
	to      func(*scope)
}

// families are the tables of operators, each in its own file.
var families = [][]conversion{convolutions, products, elementwise, movers, shapers, reductions, quantizers, flows}

// conversions is the table of operators by name. Those without a row are
// carried as they are.
var conversions = func() map[string]conversion {
	m := map[string]conversion{}
	for _, family := range families {
		for _, c := range family {
			m[c.name] = c
		}
	}
	return m
}()
