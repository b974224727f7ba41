package gemm

import "github.com/octavo-ml/octavo/internal/kernels/convert"

// Requantize is the epilogue of integer products with 8-bit results, row i
// being a channel: round(float32(sum + Bias[i]) * Multiplier[i]) + ZeroPoint,
// clamped to the grid, as convert.Requantize has it. Bias is nil for none,
// Multiplier has one element for all rows or one for each.
type Requantize struct {
	Bias       []int32
	Multiplier []float32
	Grid       convert.Grid
}

// store is the epilogue of one tile. Variants read it by its layout.
type store struct {
	bias       [MR]int32
	multiplier [MR]float32
	lo, hi     float32
	zero       int32
}

// StoreBytes requantizes the first rows×cols sums of a tile, which it may
// change, into dst, whose rows lie ldc apart. The tile begins at row i of the
// product.
func StoreBytes[T uint8 | int8](dst []T, ldc int, sums *[MR * NR]int32, i, rows, cols int, q *Requantize) {
	multiplier := func(r int) float32 {
		if len(q.Multiplier) == 1 {
			return q.Multiplier[0]
		}
		return q.Multiplier[i+r]
	}
	if rows == MR && cols == NR && hasStore() {
		p := store{lo: float32(q.Grid.QMin - q.Grid.ZeroPoint), hi: float32(q.Grid.QMax - q.Grid.ZeroPoint), zero: q.Grid.ZeroPoint}
		if q.Bias != nil {
			p.bias = [MR]int32(q.Bias[i:])
		}
		for r := range MR {
			p.multiplier[r] = multiplier(r)
		}
		storeTile(bytesOf(dst[:(MR-1)*ldc+NR]), ldc, sums, &p)
		return
	}
	for r := range rows {
		row := sums[r*NR : r*NR+cols]
		if q.Bias != nil {
			for j := range row {
				row[j] += q.Bias[i+r]
			}
		}
		convert.Requantize(dst[r*ldc:r*ldc+cols], row, multiplier(r), q.Grid)
	}
}
