//go:build noasm || (!amd64 && !arm64)

package cpu

// Pause does nothing where there is no such instruction.
func Pause() {}
