package pass

import (
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
)

func TestStripQuantization(t *testing.T) {
	g, err := ir.Parse(`graph q
input x float32[1,2]
const w int8[2,2] = [2 4 -6 8]
const ws float32[] = [0.5]
const wz int8[] = [0]
const s float32[] = [0.1]
const z uint8[] = [128]
xq uint8[1,2] = QuantizeLinear(x, s, z)
xd float32[1,2] = DequantizeLinear(xq, s, z)
wd float32[2,2] = DequantizeLinear(w, ws, wz)
m float32[1,2] = MatMul(xd, wd)
mq uint8[1,2] = QuantizeLinear(m, s, z)
y float32[1,2] = DequantizeLinear(mq, s, z)
output y
`)
	if err != nil {
		t.Fatal(err)
	}
	pairs, constants, err := StripQuantization(g)
	if err != nil || pairs != 2 || constants != 1 {
		t.Fatalf("%d pairs, %d constants, %v", pairs, constants, err)
	}
	if err := Prepare(g, Options{Verify: true}); err != nil {
		t.Fatal(err)
	}
	text := ir.Format(g)
	if strings.Contains(text, "Linear") || !strings.Contains(text, "y float32[1,2] = Clip(") || !strings.Contains(text, "[1 2 -3 4]") {
		t.Errorf("got\n%s", text)
	}
}

func TestIntegersAreNotStripped(t *testing.T) {
	g, err := ir.Parse(`graph q
input x uint8[1,2]
const s float32[] = [0.1]
const z uint8[] = [128]
y float32[1,2] = DequantizeLinear(x, s, z)
output y
`)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := StripQuantization(g); err == nil {
		t.Error("an integer input is taken back to floats")
	}
}

// An attention mask makes a tool that takes ranges as they come write an
// infinite scale: such a file cannot run, and its quantization can be undone.
func TestInfiniteScales(t *testing.T) {
	g, err := ir.Parse(`graph mask
input x float32[1,2]
const s float32[] = [+Inf]
const z uint8[] = [0]
xq uint8[1,2] = QuantizeLinear(x, s, z)
xd float32[1,2] = DequantizeLinear(xq, s, z)
y float32[1,2] = Softmax(xd)
output y
`)
	if err != nil {
		t.Fatal(err)
	}
	never := func(Region) bool { return false }
	if err := FuseQDQ(g, never); err == nil || !strings.Contains(err.Error(), "scale +Inf") {
		t.Errorf("fused: %v", err)
	}
	if pairs, _, err := StripQuantization(g); err != nil || pairs != 1 {
		t.Fatalf("%d pairs, %v", pairs, err)
	}
	if err := Prepare(g, Options{Verify: true}); err != nil {
		t.Fatal(err)
	}
	if text := ir.Format(g); !strings.Contains(text, "y float32[1,2] = Softmax(x)") {
		t.Errorf("got\n%s", text)
	}
}
