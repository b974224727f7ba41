package dataset

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// parseLabels reads the labels in b, the content of the file called where.
func parseLabels(where string, b []byte) (labels, error) {
	if bytes.HasPrefix(b, npyMagic) {
		t, err := array(tensor.FromMemory(b), 0, int64(len(b)))
		if err != nil {
			return labels{}, fmt.Errorf("%s: %w", where, err)
		}
		return labelArray(where, t)
	}
	var l labels
	lines := strings.Split(strings.TrimRight(string(b), "\r\n"), "\n")
	for i, line := range lines {
		n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
		if err != nil {
			return parseTargets(where, lines, i)
		}
		l.classes = append(l.classes, n)
	}
	return l, nil
}

// parseTargets reads lines of numbers, of which line bad is no integer.
func parseTargets(where string, lines []string, bad int) (labels, error) {
	l := labels{real: where + ": labels are floats"}
	for _, line := range lines {
		v, err := strconv.ParseFloat(strings.TrimSpace(line), 32)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return labels{}, diag.Usagef("%s:%d: %q is no class index", where, bad+1, lines[bad])
		}
		l.targets = append(l.targets, []float32{float32(v)})
	}
	return l, nil
}
