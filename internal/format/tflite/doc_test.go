package tflite

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestOperatorsOfTheDoc: the page lists the operators that are converted.
func TestOperatorsOfTheDoc(t *testing.T) {
	b, err := os.ReadFile("../../../docs/formats/tflite.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.SplitSeq(string(b), "\n") {
		if strings.HasPrefix(line, "ABS ") {
			listed = strings.Fields(line)
		}
	}
	var want []string
	for name := range conversions {
		want = append(want, name)
	}
	slices.Sort(want)
	if !slices.Equal(listed, want) {
		t.Errorf("docs/formats/tflite.md lists\n%s\nand there are\n%s", strings.Join(listed, " "), strings.Join(want, " "))
	}
}

// TestTables: rows are in order, and name operators and options that there are.
func TestTables(t *testing.T) {
	for i, family := range families {
		for k, c := range family {
			if k > 0 && family[k-1].name >= c.name {
				t.Errorf("family %d: %s stands behind %s", i, c.name, family[k-1].name)
			}
			if !slices.Contains(codeNames[:], c.name) {
				t.Errorf("%s is no operator", c.name)
			}
			if _, ok := unionNumbers[c.options]; c.options != "" && !ok {
				t.Errorf("%s: %s are no options", c.name, c.options)
			}
			if c.version < 1 || c.to == nil {
				t.Errorf("%s is not complete", c.name)
			}
		}
	}
}
