package metric

import "fmt"

// Confusion counts answers by true and given class.
type Confusion struct {
	classes int
	counts  []int64
}

// NewConfusion returns an empty matrix of the given number of classes.
func NewConfusion(classes int) *Confusion {
	return &Confusion{classes, make([]int64, classes*classes)}
}

// Classes returns the number of classes.
func (c *Confusion) Classes() int { return c.classes }

// Add counts one answer. A class out of range is an error and is not counted.
func (c *Confusion) Add(truth, answer int) error {
	if uint(truth) >= uint(c.classes) || uint(answer) >= uint(c.classes) {
		return fmt.Errorf("metric: confusion: truth %d, answer %d: want classes below %d", truth, answer, c.classes)
	}
	c.counts[truth*c.classes+answer]++
	return nil
}

// Merge adds the counts of o, which has as many classes.
func (c *Confusion) Merge(o *Confusion) {
	if c.classes != o.classes {
		panic(fmt.Sprintf("metric: confusion: merge of %d and %d classes", c.classes, o.classes))
	}
	for i, n := range o.counts {
		c.counts[i] += n
	}
}

// Count returns how often the answer was given for the true class.
func (c *Confusion) Count(truth, answer int) int64 { return c.counts[truth*c.classes+answer] }

// Accuracy returns the rate of right answers.
func (c *Confusion) Accuracy() Rate {
	var r Rate
	for i, n := range c.counts {
		r.Total += n
		if i%(c.classes+1) == 0 {
			r.Hits += n
		}
	}
	return r
}

// Score judges the answers for one class, or an average of classes. A figure
// whose denominator is 0 is 0.
type Score struct {
	Precision, Recall, F1 float64
	// Support is the number of samples whose true class it is.
	Support int64
}

// Score returns the score of one class; of two classes, class 1 is the usual
// positive one.
func (c *Confusion) Score(class int) Score {
	s, _ := c.score(class)
	return s
}

// score also returns how often the class was answered.
func (c *Confusion) score(class int) (s Score, answered int64) {
	for i := range c.classes {
		s.Support += c.Count(class, i)
		answered += c.Count(i, class)
	}
	hits := c.Count(class, class)
	s.Precision = ratio(hits, answered)
	s.Recall = ratio(hits, s.Support)
	s.F1 = ratio(2*hits, answered+s.Support)
	return s, answered
}

// Macro returns the plain mean of the scores of all classes that occur as
// truth or as answer.
func (c *Confusion) Macro() Score {
	return c.mean(func(s Score, answered int64) float64 {
		if s.Support+answered == 0 {
			return 0
		}
		return 1
	})
}

// Weighted returns the mean of the scores weighted by support.
func (c *Confusion) Weighted() Score {
	return c.mean(func(s Score, _ int64) float64 { return float64(s.Support) })
}

// Micro returns the score over all answers taken together. With one answer a
// sample precision, recall and F1 all equal the accuracy.
func (c *Confusion) Micro() Score {
	r := c.Accuracy()
	v := ratio(r.Hits, r.Total)
	return Score{v, v, v, r.Total}
}

func (c *Confusion) mean(weight func(s Score, answered int64) float64) Score {
	var sum Score
	var total float64
	for class := range c.classes {
		s, answered := c.score(class)
		w := weight(s, answered)
		sum.Precision += float64(w * s.Precision)
		sum.Recall += float64(w * s.Recall)
		sum.F1 += float64(w * s.F1)
		sum.Support += s.Support
		total += w
	}
	if total > 0 {
		sum.Precision /= total
		sum.Recall /= total
		sum.F1 /= total
	}
	return sum
}

func ratio(a, b int64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}
