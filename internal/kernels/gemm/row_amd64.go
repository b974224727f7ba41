//go:build !noasm

package gemm

// single computes one row and a whole panel of Width columns with the AVX2 kernel
// for that, where one call of it does not take too long.
func (c *call) single() bool {
	if c.stride != 4*Width || c.taps*c.depth*Width > work {
		return false
	}
	c.m, c.blocks = 1, 1
	rowAVX2(c)
	return true
}

//go:noescape
func rowAVX2(c *call)
