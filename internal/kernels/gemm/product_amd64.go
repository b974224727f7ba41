//go:build !noasm

package gemm

import (
	"unsafe"

	"github.com/octavo-ml/octavo/internal/cpu"
)

var variants = []variant{{"amx", cpu.AMX}, {"vnni", cpu.VNNI}, {"avx512", cpu.AVX512}, {"avxvnni", cpu.AVXVNNI}, {"avx2", cpu.AVX2}, {"generic", cpu.Generic}}

// shifts says whether kernels multiply A less 128.
const shifts = false

// kernel is one of the assembly kernels.
type kernel uint8

const (
	floats512 kernel = iota // and those of 32, 48 and 64 columns
	bytesDot  kernel = iota + 3
	floats2   kernel = iota + 6
	bytesVEX
	bytesPairs // and that of 8 columns
	bytesFew
	bytesRow        // and those of 32, 48 and 64 columns
	dotBF16  kernel = iota + 9
)

// width is the number of columns that a kernel computes.
func (k kernel) width() int {
	switch {
	case k >= dotBF16:
		return int(k-dotBF16+1) * lanes
	case k >= bytesRow:
		return int(k-bytesRow+1) * lanes
	case k == bytesFew:
		return lanes / 2
	case k >= floats2:
		return lanes
	case k >= bytesDot:
		return int(k-bytesDot+1) * lanes
	}
	return int(k+1) * lanes
}

// masks reports whether a kernel writes no columns but those of C.
func (k kernel) masks() bool { return k < floats2 || k >= dotBF16 }

// cuts reports whether a kernel cuts rows into blocks itself.
func (k kernel) cuts() bool { return k == bytesPairs || k == bytesFew }

// narrow returns the kernel for what is left of the columns.
func (k kernel) narrow(cols int) kernel {
	if k == bytesPairs && cols <= lanes/2 {
		return bytesFew
	}
	return k
}

// most512 is the greatest number of rows of a block by vectors of columns.
var most512 = [...]int{0, 8, 8, 8, 6}

const (
	mostFloats2 = 6
	mostVEX     = 6
	leastPairs  = 3 // rows for which it pays to look at B first
)

func floats(c, other []float32, ldc int, a []float32, r *Rows, m int, panel []float32, width, cols int, bias []float32, e *FloatEnd) {
	if !cpu.Has(cpu.AVX2) {
		floatsGeneric(c, other, ldc, a, r, m, panel, width, cols, bias, e)
		return
	}
	x := floatCall(c, other, ldc, a, r, panel, width, bias, e)
	if cpu.Has(cpu.AVX512) {
		k := floats512 + kernel(width/lanes-1)
		if !x.chunked(k, m, cols) {
			x.panel(k, m, most512[width/lanes], cols, 4)
		}
		return
	}
	if m == 1 && cols == Width && x.single() {
		return
	}
	x.panel(floats2, m, mostFloats2, cols, 4)
}

// apart reports whether products writes sums, for which it has no fixed-point end.
func (e *ByteEnd) apart() bool {
	return e.fixed != nil && cpu.Has(cpu.AVX2) && (e.vectors == nil || !cpu.Has(cpu.VNNI))
}

func products(c []byte, ldc int, a []uint8, r *Rows, m int, panel []int8, width, cols int, e *ByteEnd, j int) {
	if !cpu.Has(cpu.AVX2) {
		bytesGeneric(c, ldc, a, r, m, panel, width, cols, e, j)
		return
	}
	x := byteCall(c, ldc, a, r, panel, width, e, j)
	if x.tiles(r, m, width, cols) {
		return
	}
	if cpu.Has(cpu.VNNI) {
		v := width / lanes
		x.panel(bytesDot+kernel(v-1), m, most512[v], cols, e.written())
		return
	}
	if cpu.Has(cpu.AVXVNNI) {
		x.panel(bytesVEX, m, mostVEX, cols, e.written())
		return
	}
	if m >= leastPairs {
		x.panel(bytesPairs, m, m, cols, e.written())
		return
	}
	x.panel(bytesRow+kernel(width/lanes-1), m, 1, cols, e.written())
}

// unsigned turns bits of as many whole vectors as there are and returns how
// many bytes that was.
func unsigned(dst, src []byte, bits uint64) int {
	n := len(dst) / 64
	if n == 0 || !cpu.Has(cpu.AVX2) {
		return 0
	}
	unsignedAVX2(&dst[0], &src[0], n, bits)
	return n * 64
}

// center packs what c says of 16 columns and returns how many groups it has.
func center[T uint8 | int8](dst []int8, sums []int32, b []T, c *centering) int {
	if !cpu.Has(cpu.AVX2) {
		return 0
	}
	_, _ = dst[(c.groups-1)*c.stride+c.second+lanes*Group-1], b[(c.groups*Group-1)*c.step+lanes-1]
	centerAVX2(&dst[0], &sums[0], (*uint8)(unsafe.Pointer(&b[0])), c)
	return c.groups
}

// launch runs a kernel, by name so that the call stays on the stack.
func (k kernel) launch(c *call) {
	switch k {
	case floats512:
		floats16AVX512(c)
	case floats512 + 1:
		floats32AVX512(c)
	case floats512 + 2:
		floats48AVX512(c)
	case floats512 + 3:
		floats64AVX512(c)
	case bytesDot:
		bytes16VNNI(c)
	case bytesDot + 1:
		bytes32VNNI(c)
	case bytesDot + 2:
		bytes48VNNI(c)
	case bytesDot + 3:
		bytes64VNNI(c)
	case floats2:
		floatsAVX2(c)
	case bytesPairs:
		bytes16AVX2(c)
	case bytesFew:
		bytes8AVX2(c)
	case bytesRow:
		bytesRow16AVX2(c)
	case bytesRow + 1:
		bytesRow32AVX2(c)
	case bytesRow + 2:
		bytesRow48AVX2(c)
	case bytesRow + 3:
		bytesRow64AVX2(c)
	case bytesVEX:
		bytesAVXVNNI(c)
	default:
		k.launchBF16(c)
	}
}

//go:noescape
func floats16AVX512(c *call)

//go:noescape
func floats32AVX512(c *call)

//go:noescape
func floats48AVX512(c *call)

//go:noescape
func floats64AVX512(c *call)

//go:noescape
func bytes16VNNI(c *call)

//go:noescape
func bytes32VNNI(c *call)

//go:noescape
func bytes48VNNI(c *call)

//go:noescape
func bytes64VNNI(c *call)

//go:noescape
func floatsAVX2(c *call)

//go:noescape
func bytesRow16AVX2(c *call)

//go:noescape
func bytesRow32AVX2(c *call)

//go:noescape
func bytesRow48AVX2(c *call)

//go:noescape
func bytesRow64AVX2(c *call)

//go:noescape
func bytes16AVX2(c *call)

//go:noescape
func bytes8AVX2(c *call)

//go:noescape
func bytesAVXVNNI(c *call)

//go:noescape
func unsignedAVX2(dst, src *uint8, n int, bits uint64)

//go:noescape
func centerAVX2(dst *int8, sums *int32, src *uint8, c *centering)
