package op

import (
	"fmt"
	"slices"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TfIdfVectorizer counts n-grams of strings or integers, one vector for a list
// [n] or for each row of [N, n]. The pool holds the n-grams to be counted one
// after another, the shorter first; NgramCounts says where those of each length
// begin, and NgramIndexes which element of the output counts each. The members
// of an n-gram may lie up to MaxSkipCount elements apart, all at the same
// distance. Mode tells what an element is: the count (TF), the weight of an
// n-gram that occurs (IDF), or their product (TFIDF); weights that are not
// given are 1.
type TfIdfVectorizer struct {
	MaxGramLength int       `attr:"max_gram_length,required"`
	MaxSkipCount  int       `attr:"max_skip_count,required"`
	MinGramLength int       `attr:"min_gram_length,required"`
	Mode          string    `attr:"mode"`
	NgramCounts   []int     `attr:"ngram_counts"`
	NgramIndexes  []int     `attr:"ngram_indexes"`
	PoolInt64s    []int64   `attr:"pool_int64s"`
	PoolStrings   []string  `attr:"pool_strings"`
	Weights       []float32 `attr:"weights"`
}

// Name returns "TfIdfVectorizer".
func (*TfIdfVectorizer) Name() string { return "TfIdfVectorizer" }

// Infer returns a vector for each list.
func (o *TfIdfVectorizer) Infer(in []Fact, _ int) ([]Fact, error) {
	if err := need(in, 1, 1); err != nil {
		return nil, err
	}
	want := func(t dtype.Type) bool { return t == dtype.Int32 || t == dtype.Int64 }
	if len(o.PoolStrings) > 0 {
		want = isText
	}
	if err := accept(want, in[0]); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	out := Known(1 + slices.Max(o.NgramIndexes))
	switch x := in[0].Shape; {
	case x == nil:
		return []Fact{TensorFact(dtype.Float32, nil)}, nil
	case len(x) == 2:
		out = append(Shape{x[0]}, out...)
	case len(x) > 2:
		return nil, fmt.Errorf("lists of shape %v, want [n] or [N, n]", x)
	}
	return []Fact{TensorFact(dtype.Float32, out)}, nil
}

// check compares the attributes with each other.
func (o *TfIdfVectorizer) check() error {
	if o.MinGramLength < 1 || o.MaxGramLength < o.MinGramLength || o.MaxGramLength > maxWindow || o.MaxSkipCount < 0 || o.MaxSkipCount > maxWindow {
		return fmt.Errorf("n-grams of %d to %d with %d skipped", o.MinGramLength, o.MaxGramLength, o.MaxSkipCount)
	}
	if !slices.Contains([]string{"TF", "IDF", "TFIDF"}, o.Mode) {
		return fmt.Errorf("mode %q, want TF, IDF or TFIDF", o.Mode)
	}
	if len(o.PoolInt64s) > 0 && len(o.PoolStrings) > 0 {
		return fmt.Errorf("the pool holds strings and integers")
	}
	grams := 0
	for n := range o.NgramCounts {
		from, to := o.part(n)
		if from < 0 || to < from || to > o.poolLen() || (to-from)%(n+1) != 0 {
			return fmt.Errorf("n-grams of %d begin at %v in a pool of %d", n+1, o.NgramCounts, o.poolLen())
		}
		grams += (to - from) / (n + 1)
	}
	if grams == 0 || len(o.NgramIndexes) != grams || o.Weights != nil && len(o.Weights) != grams {
		return fmt.Errorf("%d n-grams with %d indices and %d weights", grams, len(o.NgramIndexes), len(o.Weights))
	}
	if least, most := slices.Min(o.NgramIndexes), slices.Max(o.NgramIndexes); least < 0 || most > maxExtent {
		return fmt.Errorf("indices from %d to %d", least, most)
	}
	return nil
}

func (o *TfIdfVectorizer) poolLen() int { return max(len(o.PoolInt64s), len(o.PoolStrings)) }

// part returns where the n-grams of n+1 members begin and end in the pool.
func (o *TfIdfVectorizer) part(n int) (from, to int) {
	if n+1 < len(o.NgramCounts) {
		return o.NgramCounts[n], o.NgramCounts[n+1]
	}
	return o.NgramCounts[n], o.poolLen()
}

// Eval counts.
func (o *TfIdfVectorizer) Eval(in []Datum) ([]Datum, error) {
	c, err := prepareCanvas(o, in)
	if err != nil {
		return nil, err
	}
	y, width := tensor.Data[float32](c.t), c.shape[len(c.shape)-1]
	x := arg(in, 0)
	items := 1
	if x.Rank() > 0 {
		items = x.Shape()[x.Rank()-1]
	}
	if len(o.PoolStrings) > 0 {
		countGrams(o, y, width, items, x.Strings(), o.PoolStrings)
	} else {
		countGrams(o, y, width, items, integers(x), o.PoolInt64s)
	}
	return Of(c.t), nil
}

// grams is a node of the tree of n-grams: what may come next, and which n-gram
// ends here, counted from 1.
type grams[T comparable] struct {
	next map[T]*grams[T]
	id   int
}

// countGrams counts the n-grams of each row of items elements of x.
func countGrams[T comparable](o *TfIdfVectorizer, y []float32, width, items int, x, pool []T) {
	root, id, longest := &grams[T]{}, 0, 0
	for n := range o.NgramCounts {
		from, to := o.part(n)
		for ; from < to; from += n + 1 {
			id++
			if n+1 < o.MinGramLength || n+1 > o.MaxGramLength {
				continue
			}
			at := root
			for _, v := range pool[from : from+n+1] {
				if at.next == nil {
					at.next = map[T]*grams[T]{}
				}
				if at.next[v] == nil {
					at.next[v] = &grams[T]{}
				}
				at = at.next[v]
			}
			at.id, longest = id, n+1
		}
	}
	if longest == 0 {
		return
	}
	for row := range len(y) / width {
		list, out := x[row*items:][:items], y[row*width:][:width]
		for distance := 1; distance <= o.MaxSkipCount+1 && distance <= max(items, 1); distance++ {
			for i := range list {
				at := root
				for n, k := 1, i; k < items && n <= longest; n, k = n+1, k+distance {
					if at = at.next[list[k]]; at == nil {
						break
					}
					// One member lies at no distance, and counts once.
					if at.id > 0 && (n > 1 || distance == 1) {
						o.found(out, at.id-1)
					}
				}
			}
		}
	}
}

// found counts n-gram i.
func (o *TfIdfVectorizer) found(out []float32, i int) {
	w := float32(1)
	if o.Weights != nil && o.Mode != "TF" {
		w = o.Weights[i]
	}
	if o.Mode == "IDF" {
		out[o.NgramIndexes[i]] = w
	} else {
		out[o.NgramIndexes[i]] += w
	}
}
