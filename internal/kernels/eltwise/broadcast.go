package eltwise

// BroadcastStrides returns the element strides with which a row-major operand
// of shape in is read along every axis of the broadcast shape out: 0 where it
// repeats. It reports false where the shapes do not broadcast.
func BroadcastStrides(in, out []int) ([]int, bool) {
	skip := len(out) - len(in)
	if skip < 0 {
		return nil, false
	}
	strides := make([]int, len(out))
	step := 1
	for i := len(in) - 1; i >= 0; i-- {
		switch in[i] {
		case out[skip+i]:
			strides[skip+i] = step
		case 1:
		default:
			return nil, false
		}
		step *= in[i]
	}
	return strides, true
}

// Walk visits a shape in row-major order as runs along its innermost axis,
// adjacent axes merged where every operand allows. Operand i of a run starts
// at element offsets[i] and advances by steps[i], n times. The slices belong
// to Walk. Axes of strides count as those of shape.
func Walk(shape []int, strides [][]int, visit func(n int, offsets, steps []int)) {
	dims, axes, empty := mergeAxes(shape, strides)
	if empty {
		return
	}
	last := len(dims) - 1
	steps := axes[last]
	offsets := make([]int, len(strides))
	index := make([]int, last)
	for {
		visit(dims[last], offsets, steps)
		d := last - 1
		for ; d >= 0; d-- {
			index[d]++
			for i, s := range axes[d] {
				offsets[i] += s
			}
			if index[d] < dims[d] {
				break
			}
			index[d] = 0
			for i, s := range axes[d] {
				offsets[i] -= s * dims[d]
			}
		}
		if d < 0 {
			return
		}
	}
}

// mergeAxes drops axes of length 1 and merges neighbours that every operand
// crosses with one stride. At least one axis is left; axes[d][i] is the stride
// of operand i along it.
func mergeAxes(shape []int, strides [][]int) (dims []int, axes [][]int, empty bool) {
	for d, n := range shape {
		if n == 0 {
			return nil, nil, true
		}
		if n == 1 {
			continue
		}
		axis := make([]int, len(strides))
		merge := len(dims) > 0
		for i, s := range strides {
			axis[i] = s[d]
			merge = merge && axes[len(axes)-1][i] == n*s[d]
		}
		if merge {
			dims[len(dims)-1] *= n
			axes[len(axes)-1] = axis
			continue
		}
		dims, axes = append(dims, n), append(axes, axis)
	}
	if len(dims) == 0 {
		return []int{1}, [][]int{make([]int, len(strides))}, false
	}
	return dims, axes, false
}

// Broadcast runs a loop of two operands over the row-major dst of the given
// shape, with the element strides of a and b along its axes (0: repeated).
// The loop receives runs, an operand that stands still as a slice of length 1;
// operands with other inner strides are handed over one element at a time.
func Broadcast[A, B, U any](dst []U, shape []int, a []A, aStrides []int, b []B, bStrides []int, loop func(dst []U, a []A, b []B)) {
	at := 0
	Walk(shape, [][]int{aStrides, bStrides}, func(n int, offsets, steps []int) {
		oa, ob := offsets[0], offsets[1]
		sa, sb := steps[0], steps[1]
		if uint(sa) <= 1 && uint(sb) <= 1 {
			loop(dst[at:at+n], a[oa:oa+1+sa*(n-1)], b[ob:ob+1+sb*(n-1)])
			at += n
			return
		}
		for range n {
			loop(dst[at:at+1], a[oa:oa+1], b[ob:ob+1])
			at, oa, ob = at+1, oa+sa, ob+sb
		}
	})
}

// Where stores a where cond is true and b elsewhere, broadcast as in
// [Broadcast].
func Where[T any](dst []T, shape []int, cond []bool, condStrides []int, a []T, aStrides []int, b []T, bStrides []int) {
	at := 0
	Walk(shape, [][]int{condStrides, aStrides, bStrides}, func(n int, offsets, steps []int) {
		oc, oa, ob := offsets[0], offsets[1], offsets[2]
		for range n {
			if cond[oc] {
				dst[at] = a[oa]
			} else {
				dst[at] = b[ob]
			}
			at, oc, oa, ob = at+1, oc+steps[0], oa+steps[1], ob+steps[2]
		}
	})
}
