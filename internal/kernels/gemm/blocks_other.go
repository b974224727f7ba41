//go:build noasm || (!amd64 && !arm64)

package gemm

func (b *Blocks) numbers(dst []float32, p int) { b.numbersGeneric(dst, p) }

// inRegisters reports whether there are kernels for direct.
func inRegisters() bool { return false }

// direct is asked for nothing: ScratchLen is never 0.
func (b *Blocks) direct([]float32, int, []float32, []int32, int, int) {}
