package gemm

import "unsafe"

// PackedBytesA returns the length of an m×k matrix A packed as bytes.
func PackedBytesA(m, k int) int { return PackedA(m, Group*Groups(k)) }

// PackedBytesB returns the length of a k×n matrix B packed as bytes.
func PackedBytesB(k, n int) int { return PackedB(Group*Groups(k), n) }

// PackBytesA packs the m×k matrix of weights whose element (i, j) is
// a[i*rs+j*cs]: panels of MR rows, in each groups of MR rows of Group elements;
// what is missing is zero.
func PackBytesA(dst, a []int8, m, k, rs, cs int) {
	clear(dst[:PackedBytesA(m, k)])
	step := MR * Group * Groups(k)
	for i := range m {
		first := i/MR*step + i%MR*Group
		for p := range k {
			dst[first+p/Group*MR*Group+p%Group] = a[i*rs+p*cs]
		}
	}
}

// PackBytesB packs the k×n matrix of activations whose column j is the k
// elements of b from j*k on: panels of NR columns, in each groups of NR columns
// of Group elements. An int8 stands as the uint8 that is 128 more. What is
// missing is anything: the zeros of A meet it.
func PackBytesB[T uint8 | int8](dst []uint8, b []T, k, n int) {
	flip := Flip[T]()
	step := NR * Group * Groups(k)
	for j := range n {
		first, col := j/NR*step+j%NR*Group, b[j*k:(j+1)*k]
		for ; len(col) >= Group; col = col[Group:] {
			out, in := (*[Group]uint8)(dst[first:]), (*[Group]T)(col)
			out[0], out[1], out[2], out[3] = uint8(in[0])^flip, uint8(in[1])^flip, uint8(in[2])^flip, uint8(in[3])^flip
			first += NR * Group
		}
		for p, v := range col {
			dst[first+p] = uint8(v) ^ flip
		}
	}
}

// Flip is what takes the bits of a T to the uint8 that stands for it in B: its
// zero point becomes uint8(zero) ^ Flip.
func Flip[T uint8 | int8]() uint8 {
	if lowest := ^T(0); lowest < 0 {
		return 0x80
	}
	return 0
}

// PackRun packs part of one panel of B from channels × NR elements, of which
// channel c begins at src[c*step]: ⌈channels/Group⌉ groups.
func PackRun[T uint8 | int8](dst []uint8, src []T, channels, step int) {
	flip := Flip[T]()
	whole := channels / Group
	if whole > 0 {
		_ = src[(whole*Group-1)*step+NR-1]
		interleave(dst[:whole*NR*Group], bytesOf(src), whole, step, flip)
	}
	for c := whole * Group; c < channels; c++ {
		out, in := dst[whole*NR*Group:][:NR*Group], src[c*step:][:NR]
		for j, v := range in {
			out[j*Group+c%Group] = uint8(v) ^ flip
		}
	}
}

func bytesOf[T uint8 | int8](s []T) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(s))), len(s))
}

// MultiplyBytes computes one tile of integer sums, modulo 2³², from panels of
// bytes:
//
//	acc := int32(0)
//	for p := range k {
//		acc += int32(A[i,p]) * int32(B[p,j])
//	}
//
// It is exact for all values. A zero point of B is the caller's to take off:
// zero times the sum of the row of A.
func MultiplyBytes(sums *[MR * NR]int32, groups int, a []int8, b []uint8) {
	*sums = [MR * NR]int32{}
	a, b = a[:MR*Group*groups], b[:NR*Group*groups] // variants read exactly this far
	for ; groups > depth; groups -= depth {
		dot(sums, depth, a, b)
		a, b = a[MR*Group*depth:], b[NR*Group*depth:]
	}
	if groups > 0 {
		dot(sums, groups, a, b)
	}
}

// dotGeneric is the twin that defines what dot adds.
func dotGeneric(sums *[MR * NR]int32, groups int, a []int8, b []uint8) {
	for range groups {
		for r := range MR {
			w := (*[Group]int8)(a[r*Group:])
			w0, w1, w2, w3 := int32(w[0]), int32(w[1]), int32(w[2]), int32(w[3])
			row := (*[NR]int32)(sums[r*NR:])
			for j := range row {
				x := (*[Group]uint8)(b[j*Group:])
				row[j] += w0*int32(x[0]) + w1*int32(x[1]) + w2*int32(x[2]) + w3*int32(x[3])
			}
		}
		a, b = a[MR*Group:], b[NR*Group:]
	}
}

// interleaveGeneric is the twin of interleave: groups of Group rows of NR bytes
// become NR columns of Group bytes.
func interleaveGeneric(dst, src []uint8, groups, step int, flip uint8) {
	for g := range groups {
		out, in := dst[g*NR*Group:][:NR*Group], src[g*Group*step:]
		for c := range Group {
			for j, v := range in[c*step:][:NR] {
				out[j*Group+c] = v ^ flip
			}
		}
	}
}
