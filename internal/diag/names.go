package diag

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// nearestCount is how many names Nearest returns at most, and nearestLength
// the longest that it compares.
const (
	nearestCount  = 3
	nearestLength = 256
)

// Nearest returns the candidates that word may be a misspelling of, the
// nearest first, at most three: those that lie within a third of its letters
// by Damerau-Levenshtein distance (at least one letter), then those that
// contain it or that it contains. Case does not count. Equal distances keep
// the order of the candidates.
func Nearest(word string, candidates []string) []string {
	if word == "" || len(word) > nearestLength {
		return nil
	}
	type hit struct {
		name string
		d    int
	}
	var hits []hit
	w := []rune(strings.ToLower(word))
	limit := max(1, len(w)/3)
	for _, c := range candidates {
		if c == "" || len(c) > nearestLength {
			continue
		}
		lower := strings.ToLower(c)
		d := limit + 1
		if n := utf8.RuneCountInString(lower); n-len(w) <= limit && len(w)-n <= limit {
			d = distance(w, []rune(lower))
		}
		if d > limit {
			if !contains(lower, string(w)) && !contains(string(w), lower) {
				continue
			}
			d = limit + 1
		}
		hits = append(hits, hit{c, d})
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return a.d - b.d })
	var names []string
	for _, h := range hits {
		if len(names) < nearestCount && !slices.Contains(names, h.name) {
			names = append(names, h.name)
		}
	}
	return names
}

// contains is true where part is more of s than chance gives.
func contains(s, part string) bool { return len(part) >= 3 && strings.Contains(s, part) }

// distance is the restricted Damerau-Levenshtein distance: insertions,
// deletions, substitutions and swaps of neighbours, no part edited twice.
func distance(a, b []rune) int {
	before, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range a {
		cur[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			d := min(prev[j+1]+1, cur[j]+1, prev[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			cur[j+1] = d
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(b)]
}

// MatchGlob reports whether pattern matches all of name. `*` stands for any
// run of characters, `/` among them, and `?` for any one character; everything
// else stands for itself, brackets too, as names of nodes hold them.
func MatchGlob(pattern, name string) bool {
	p, n := 0, 0
	star, mark := -1, 0 // the last star, and where what it took ends
	for n < len(name) {
		_, size := utf8.DecodeRuneInString(name[n:])
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && pattern[p] == '?':
			p++
			n += size
		case p < len(pattern) && pattern[p] == name[n]:
			p++
			n++
		case star >= 0:
			_, size := utf8.DecodeRuneInString(name[mark:])
			mark += size
			p, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
