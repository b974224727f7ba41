package main

import (
	"slices"
	"testing"
)

func TestPatternList(t *testing.T) {
	got, err := patternList("only", []string{"op:Gemm, op:MatMul", "/head/*"})
	if want := []string{"op:Gemm", "op:MatMul", "/head/*"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	for _, bad := range []string{"", "a,", ",a", "a,,b", " "} {
		if got, err := patternList("keep", []string{bad}); err == nil {
			t.Errorf("%q: got %q, want an error", bad, got)
		}
	}
}
