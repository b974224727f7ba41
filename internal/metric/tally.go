package metric

// Tally counts answers by class alone, where a [Confusion] counts pairs of
// classes: its size grows with the classes, not with their square.
type Tally struct{ support, answered, hits []int64 }

// NewTally returns an empty tally of the given number of classes.
func NewTally(classes int) *Tally {
	return &Tally{make([]int64, classes), make([]int64, classes), make([]int64, classes)}
}

// Add counts one answer; both classes are below the number of classes.
func (t *Tally) Add(truth, answer int) {
	t.support[truth]++
	t.answered[answer]++
	if truth == answer {
		t.hits[truth]++
	}
}

// Reset makes t empty.
func (t *Tally) Reset() { clear(t.support); clear(t.answered); clear(t.hits) }

// Score returns the score of one class, as [Confusion.Score] does.
func (t *Tally) Score(class int) Score {
	hits, answered, support := t.hits[class], t.answered[class], t.support[class]
	return Score{ratio(hits, answered), ratio(hits, support), ratio(2*hits, answered+support), support}
}

// Macro returns the plain mean of the scores of all classes that occur, as
// [Confusion.Macro] does.
func (t *Tally) Macro() Score {
	var sum Score
	n := 0.0
	for c := range t.support {
		if t.support[c]+t.answered[c] == 0 {
			continue
		}
		s := t.Score(c)
		sum.Precision += s.Precision
		sum.Recall += s.Recall
		sum.F1 += s.F1
		sum.Support += s.Support
		n++
	}
	if n > 0 {
		sum.Precision /= n
		sum.Recall /= n
		sum.F1 /= n
	}
	return sum
}
