package metric

// Rate is a share of hits: accuracy, top-k accuracy, agreement of two models.
type Rate struct{ Hits, Total int64 }

// Add counts one trial.
func (r *Rate) Add(hit bool) {
	r.Total++
	if hit {
		r.Hits++
	}
}

// Merge adds the counts of o.
func (r *Rate) Merge(o Rate) {
	r.Hits += o.Hits
	r.Total += o.Total
}

// Value returns the share, 0 of nothing.
func (r Rate) Value() float64 { return ratio(r.Hits, r.Total) }

// Best returns the index of the greatest score, the first of equals; -1 if
// there is none or all are NaN.
func Best(scores []float32) int {
	best := -1
	for i, s := range scores {
		if s == s && (best < 0 || s > scores[best]) {
			best = i
		}
	}
	return best
}

// InTop reports whether class is among the k greatest scores, equals ranked by
// index as in Best; never for a NaN score or a class out of range.
func InTop(scores []float32, class, k int) bool {
	if uint(class) >= uint(len(scores)) || scores[class] != scores[class] {
		return false
	}
	ahead := 0
	for i, s := range scores {
		if s > scores[class] || s == scores[class] && i < class {
			ahead++
		}
	}
	return ahead < k
}
