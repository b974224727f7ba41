package diag_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/octavo-ml/octavo/internal/diag"
)

func TestNearest(t *testing.T) {
	modes := []string{"auto", "static", "dynamic", "weight-only", "float16", "bfloat16"}
	for _, c := range []struct {
		name, word string
		candidates []string
		want       []string
	}{
		{"swap of neighbours", "sattic", modes, []string{"static"}},
		{"case", "STATIC", modes, []string{"static"}},
		{"deletion, then containing", "float1", modes, []string{"float16", "bfloat16"}},
		{"part of a long name", "conv1", []string{"/layer1/conv1/Conv", "/fc/Gemm"}, []string{"/layer1/conv1/Conv"}},
		{"nothing near", "quantum", modes, nil},
		{"empty", "", modes, nil},
		{"short words need one letter", "ab", []string{"cd", "ac", ""}, []string{"ac"}},
		{"three at most, nearest first", "abcdef", []string{"abcdxx", "abcdef1", "abcdeg", "abcdefg", "abcdef1"}, []string{"abcdef1", "abcdeg", "abcdefg"}},
		{"letters, not bytes", "größe", []string{"große"}, []string{"große"}},
		{"names without end", strings.Repeat("a", 1000), []string{strings.Repeat("a", 1000)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, diag.Nearest(c.word, c.candidates)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestMatchGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "/a/b", true},
		{"/head/*", "/head/conv/Conv", true},
		{"/head/*", "/body/head/Conv", false},
		{"*/Conv", "/a/b/Conv", true},
		{"*/Conv", "/a/b/Conv_1", false},
		{"/layer?/*", "/layer1/x", true},
		{"/layer?/*", "/layer12/x", false},
		{"a*b*c", "aXbYbZc", true},
		{"a*b*c", "aXbYbZ", false},
		{"a**", "a", true},
		{"?", "ü", true},
		{"*?", "", false},
		{"*ü?", "aüüb", true},
		{"w[0]", "w[0]", true},
		{"w[0]", "w0", false},
		{"A", "a", false},
		{strings.Repeat("*a", 50) + "b", strings.Repeat("a", 2000), false},
	} {
		if got := diag.MatchGlob(c.pattern, c.name); got != c.want {
			t.Errorf("MatchGlob(%q, %q) = %v", c.pattern, c.name, got)
		}
	}
}
