//go:build !noasm && (amd64 || arm64)

package cpu

//go:generate go -C _asm run . ..

// Pause tells the processor that the program waits in a loop: it saves power,
// and leaves the core's other thread more of it.
func Pause()
