package quant_test

import (
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/quant"
)

// several has an input for a convolution, one that only float operators read,
// indices, one that both kinds read, and an input that is an output.
const several = `graph several
input image float32[1,2,4,4]
input bias float32[1,3]
input ids int64[1]
input both float32[1,2,4,4]
input through float32[1]
const w float32[3,2,4,4] = [` + `1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8` + `]
const table float32[2,3] = [1 2 3 4 5 6]
a float32[1,3,1,1] = Conv(image, w) @conv
b float32[1,3,1,1] = Conv(both, w) @conv2
e float32[1,2,4,4] = Exp(both) @exp
t float32[1,3] = Gather(table, ids) @gather
s float32[1,3] = Sin(bias) @sin
output a
output b
output e
output t
output s
output through
`

func TestEdgesOfSeveralInputs(t *testing.T) {
	for _, c := range []struct {
		io, layout string
		want       string // VALUE:TYPE:layout of all edges
	}{
		{"", "", ""},
		{"float", "keep", ""},
		{"image=uint8", "", "image:uint8"},
		{"in=uint8", "", "image:uint8 bias:uint8 both:uint8"},
		{"in=uint8,bias=float,both=int8", "", "image:uint8 both:int8"},
		{"uint8,out=float", "", "image:uint8 bias:uint8 both:uint8"},
		{"out=int8,e=float,t=float", "", "a:int8 b:int8 s:int8"},
		{"", "channels-last", "image::last both::last a::last b::last e::last"},
		{"bias=uint8", "in=channels-last,image=keep", "bias:uint8 both::last"},
		{"float,image=uint8", "image=channels-last", "image:uint8:last"},
	} {
		p, err := quant.Place(graph(t, several), &quant.Recipe{IO: c.io, IOLayout: c.layout, Target: "generic"})
		if err != nil {
			t.Errorf("%q %q: %v", c.io, c.layout, err)
			continue
		}
		var got []string
		for _, e := range p.Edges {
			s := e.Value
			if e.Params.Type != dtype.Invalid || e.ChannelsLast {
				s += ":"
			}
			if e.Params.Type != dtype.Invalid {
				s += e.Params.Type.String()
			}
			if e.ChannelsLast {
				s += ":last"
			}
			got = append(got, s)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q %q: got %q, want %q", c.io, c.layout, s, c.want)
		}
	}
}

// TestFloatReadersOfAnEdgeSeeItRounded: an input that nothing quantizes gets a
// point, and one that some read as float is integer for all of them.
func TestFloatReadersOfAnEdgeSeeItRounded(t *testing.T) {
	p, err := quant.Place(graph(t, several), &quant.Recipe{IO: "in=int8", Target: "generic"})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]quant.Point{}
	for _, pt := range p.Points {
		found[pt.Value] = pt
	}
	if pt := found["bias"]; pt.Uses != nil || pt.Type != dtype.Int8 {
		t.Errorf("bias: %+v", pt)
	}
	// What the placement chose stays: the pass shifts the zero point.
	if pt := found["both"]; pt.Uses != nil || pt.Type != dtype.Uint8 {
		t.Errorf("both: %+v", pt)
	}
}

func TestEdgesThatCannotBe(t *testing.T) {
	for _, c := range []struct{ io, layout, want, note string }{
		{"unit8", "", `"unit8" is not known`, "did you mean uint8?"},
		{"in=", "", `"" is not known`, "known: float"},
		{"=uint8", "", "no name stands before =", "NAME=WORD"},
		{"imgae=uint8", "", `no input or output "imgae"`, "did you mean image?"},
		{"ids=uint8", "", `"ids" is int64[1]: only float32`, "ids"},
		{"through=uint8", "", "an input and an output at once", ""},
		{"", "bias=channels-last", `"bias" is float32[1,3]: channels-last is for ranks 3 to 5`, ""},
		{"", "last", `"last" is not known`, "channels-last"},
		{"image=uint16", "", "", ""},
	} {
		_, err := quant.Place(graph(t, several), &quant.Recipe{IO: c.io, IOLayout: c.layout, Target: "generic"})
		if c.want == "" {
			if err != nil {
				t.Errorf("%q: %v", c.io, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || diag.ExitCode(err) != 2 {
			t.Errorf("%q %q: got %v, want a usage error with %q", c.io, c.layout, err, c.want)
			continue
		}
		if notes := strings.Join(diag.Notes(err), "\n"); c.note != "" && !strings.Contains(notes+err.Error(), c.note) {
			t.Errorf("%q %q: notes %q", c.io, c.layout, notes)
		}
	}
	_, err := quant.Place(graph(t, several), &quant.Recipe{IO: "image=uint8", Target: "tensorrt"})
	if err == nil || !strings.Contains(err.Error(), "target tensorrt takes no inputs and outputs of type uint8") {
		t.Errorf("a type that the target lacks: %v", err)
	}
}
