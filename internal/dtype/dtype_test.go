package dtype_test

import (
	"math"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
)

func TestNamesParseBack(t *testing.T) {
	seen := map[string]bool{}
	for _, typ := range dtype.All() {
		name := typ.String()
		if seen[name] {
			t.Errorf("name %q stands for two types", name)
		}
		seen[name] = true
		got, err := dtype.Parse(name)
		if err != nil || got != typ {
			t.Errorf("Parse(%q) = %v, %v; want %v", name, got, err, typ)
		}
	}
	for _, bad := range []string{"", "invalid", "float33"} {
		if _, err := dtype.Parse(bad); err == nil {
			t.Errorf("Parse(%q): got nil, want an error", bad)
		}
	}
}

func TestSize(t *testing.T) {
	for _, c := range []struct {
		typ  dtype.Type
		n    int
		want int
	}{
		{dtype.Float32, 3, 12}, {dtype.Int4, 3, 2}, {dtype.Int4, 4, 2}, {dtype.Uint2, 5, 2},
		{dtype.Bool, 7, 7}, {dtype.Float32, 0, 0}, {dtype.String, 1, -1}, {dtype.Int8, -1, -1},
		{dtype.Complex128, math.MaxInt / 2, -1},
	} {
		if got := c.typ.Size(c.n); got != c.want {
			t.Errorf("%v.Size(%d) = %d, want %d", c.typ, c.n, got, c.want)
		}
	}
}

func TestRange(t *testing.T) {
	for _, c := range []struct {
		typ      dtype.Type
		min, max int64
	}{
		{dtype.Int8, -128, 127}, {dtype.Uint8, 0, 255}, {dtype.Int4, -8, 7}, {dtype.Uint2, 0, 3},
		{dtype.Int64, math.MinInt64, math.MaxInt64}, {dtype.Int32, math.MinInt32, math.MaxInt32},
	} {
		if min, max := c.typ.Range(); min != c.min || max != c.max {
			t.Errorf("%v.Range() = %d, %d; want %d, %d", c.typ, min, max, c.min, c.max)
		}
	}
}
