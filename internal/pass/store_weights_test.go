package pass

import (
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/ir"
)

func TestStoreWeights(t *testing.T) {
	g, err := ir.Parse(`graph fake
input x float32[1,2]
const w float32[2,2] = [0.5 -0.26 1 9]
const ws float32[] = [0.5]
const wz int8[] = [1]
const s float32[] = [0.1]
const z uint8[] = [128]
wq int8[2,2] = QuantizeLinear(w, ws, wz)
wd float32[2,2] = DequantizeLinear(wq, ws, wz)
xq uint8[1,2] = QuantizeLinear(x, s, z)
xd float32[1,2] = DequantizeLinear(xq, s, z)
y float32[1,2] = MatMul(xd, wd)
output y
`)
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := StoreWeights(g); err != nil || !changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	if err := ir.Verify(g); err != nil {
		t.Fatal(err)
	}
	text := ir.Format(g)
	if !strings.Contains(text, "const wq int8[2,2] = [2 0 3 19]") || !strings.Contains(text, "xq uint8[1,2] = QuantizeLinear(x, s, z)") {
		t.Errorf("got\n%s", text)
	}
	if changed, err := StoreWeights(g); err != nil || changed {
		t.Errorf("again: changed %v, %v", changed, err)
	}
}
