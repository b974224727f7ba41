package octavo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/ir"
)

// trialSizes are what DataNeeded tries for dynamic dimensions.
var trialSizes = []int{128, 32, 8, 1}

// DataNeeded returns the error for a quantization without samples: its notes
// are commands that work, the last where random data can be made.
func (m *Model) DataNeeded() error {
	e := diag.Usagef("%s: static quantization needs samples of what the model will see", m.Path).
		Note("octavo quantize %s --data calib.npz     arrays named as the inputs", m.Path).
		Note("octavo quantize %s --data calib/        a folder of arrays or pictures, one sample each", m.Path).
		Note("octavo quantize %s --ranges FILE        what --save-ranges wrote, without data", m.Path).
		Note("octavo quantize %s --mode dynamic       no samples: ranges are found as the model runs", m.Path)
	for _, size := range trialSizes {
		var shapes, dims []string
		flags := ""
		for _, f := range m.mustBeFixed() {
			flag := f.flag(strconv.Itoa(size))
			flags += " " + flag
			kind, value, _ := strings.Cut(flag, " ")
			if kind == "--dim" {
				dims = append(dims, value)
			} else {
				shapes = append(shapes, value)
			}
		}
		c := *m
		if c.Fix(shapes, dims) != nil {
			continue
		}
		if _, err := c.randomInputs(); err == nil {
			return e.Note("octavo quantize %s --data random%s     no samples: ranges from noise, which lose accuracy", m.Path, flags)
		}
	}
	return e
}

// freeDim is a dynamic dimension that random data has no size for.
type freeDim struct {
	input  *ir.Value // where the dimension has no name
	symbol string
}

// flag returns the flag that fixes d at size.
func (d freeDim) flag(size string) string {
	if d.input == nil {
		return fmt.Sprintf("--dim %s=%s", d.symbol, size)
	}
	var sizes []string
	for i, s := range d.input.Shape {
		n, known := s.Int()
		switch {
		case known:
			sizes = append(sizes, strconv.Itoa(n))
		case i == 0:
			sizes = append(sizes, "1")
		default:
			sizes = append(sizes, size)
		}
	}
	return fmt.Sprintf("--shape %s=%s", d.input.Name, strings.Join(sizes, "x"))
}

// mustBeFixed returns the dynamic dimensions of the inputs, but for the first
// of each input, which is the batch. An input of unknown rank is not among
// them: nothing can be offered for it.
func (m *Model) mustBeFixed() []freeDim {
	var batch []string
	for _, v := range m.graph.Inputs {
		if len(v.Shape) > 0 {
			batch = append(batch, v.Shape[0].Name())
		}
	}
	var out []freeDim
	for _, v := range m.graph.Inputs {
		nameless := false
		for i, d := range v.Shape {
			_, known := d.Int()
			switch {
			case known || i == 0:
			case d.IsUnknown():
				nameless = true
			case !slices.Contains(batch, d.Name()) && !slices.Contains(out, freeDim{symbol: d.Name()}):
				out = append(out, freeDim{symbol: d.Name()})
			}
		}
		if nameless {
			out = append(out, freeDim{input: v})
		}
	}
	return out
}
