// Package gemm multiplies matrices: float32, and 8-bit integers into int32.
//
// Every float result is acc = +0; acc = fma(a[k], b[k], acc) for ascending k,
// then bias and clamp, each rounded: the same bits from the Go twin and from
// each assembly variant. Integer results are exact. Operands are packed: A in
// panels of MR rows, B in panels of NR columns, so that a tile reads both in
// order; weights are packed once. The package sees slices and must not know
// tensors, operators or quantization parameters.
//
// Start at [F32] and [PackA], and at [I8] in int.go; variants are rows of the
// table in variants.go, and _asm generates their assembly.
package gemm

import "math"

//go:generate go -C _asm run . ..

// MR and NR are the rows and columns of a tile.
const (
	MR = 4
	NR = 16
)

// Tile holds the accumulators of one tile, row by row.
type Tile [MR * NR]float32

// depth is the greatest k that one call of a variant multiplies: assembly
// cannot be interrupted, so that a long call would hold up the collector.
const depth = 8192

// Epilogue is applied to every result, each step rounded: bias Row[i] of its
// row, bias Col[j] of its column, then with Clamp min(max(x, Lo), Hi), where
// min and max are Go's. A nil bias adds nothing.
type Epilogue struct {
	Row, Col []float32
	Clamp    bool
	Lo, Hi   float32
}

// F32 writes the m×n product of packed A and B to c, whose row i begins at
// c[i*ldc].
//
//	acc := float32(0)
//	for p := range k {
//		acc = fma(A[i,p], B[p,j], acc)
//	}
//	c[i*ldc+j] = min(max(acc+Row[i]+Col[j], Lo), Hi)
func F32(c []float32, ldc, m, n, k int, a, b []float32, ep Epilogue) {
	var t [Panels]Tile
	for j := 0; j < n; j += NR {
		bp := b[j*k : j*k+NR*k]
		for i := 0; i < m; i += Panels * MR {
			count := min(Panels, (m-i+MR-1)/MR)
			MultiplyPanels(&t, count, k, a[i*k:], bp)
			for p := range count {
				row := i + p*MR
				Store(c[row*ldc+j:], ldc, &t[p], row, j, min(MR, m-row), min(NR, n-j), ep)
			}
		}
	}
}

// Panels is how many panels of A MultiplyPanels takes at a time.
const Panels = 4

// MultiplyPanels computes the tiles of count ≤ Panels panels of A, which follow
// each other, and one of B, of k groups each.
func MultiplyPanels(t *[Panels]Tile, count, k int, a, b []float32) {
	if count < Panels || k == 0 || !hasTiles() {
		for p := range count {
			Multiply(&t[p], k, a[p*MR*k:], b)
		}
		return
	}
	*t = [Panels]Tile{}
	a, b = a[:Panels*MR*k], b[:NR*k] // variants read exactly this far
	for from := 0; from < k; from += depth {
		tiles(t, min(depth, k-from), a[from*MR:], MR*k, b[from*NR:])
	}
}

// Multiply computes one tile from a panel of A and one of B, of k groups each.
func Multiply(t *Tile, k int, a, b []float32) {
	*t = Tile{}
	a, b = a[:MR*k], b[:NR*k] // variants read exactly this far
	for ; k > depth; k -= depth {
		tile(t, depth, a, b)
		a, b = a[MR*depth:], b[NR*depth:]
	}
	if k > 0 {
		tile(t, k, a, b)
	}
}

// Store applies the epilogue to a tile, which it changes, and writes the first
// rows×cols results to c. The tile begins at row i and column j of the product.
func Store(c []float32, ldc int, t *Tile, i, j, rows, cols int, ep Epilogue) {
	if ep.Row != nil || ep.Col != nil || ep.Clamp {
		f := identity
		if ep.Row != nil {
			copy(f.row[:rows], ep.Row[i:])
		}
		if ep.Col != nil {
			copy(f.col[:cols], ep.Col[j:])
		}
		if ep.Clamp {
			f.lo, f.hi = ep.Lo, ep.Hi
		}
		f.apply(t)
	}
	if cols == NR {
		for r := range rows {
			*(*[NR]float32)(c[r*ldc:]) = *(*[NR]float32)(t[r*NR:])
		}
		return
	}
	for r := range rows {
		copy(c[r*ldc:r*ldc+cols], t[r*NR:])
	}
}

// finish is the epilogue of one tile. Variants read it by its layout.
type finish struct {
	row    [MR]float32
	col    [NR]float32
	lo, hi float32
}

// identity changes nothing, not even the sign of a zero.
var identity = func() (f finish) {
	negativeZero := float32(math.Copysign(0, -1))
	for i := range f.row {
		f.row[i] = negativeZero
	}
	for i := range f.col {
		f.col[i] = negativeZero
	}
	f.lo, f.hi = float32(math.Inf(-1)), float32(math.Inf(1))
	return f
}()
