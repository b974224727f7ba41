//go:build 386 || arm || mips || mipsle

package dtype

// Models are mapped as a whole, and elements are counted in ints: octavo needs
// 64 bits, and says so where they are missing.
var _ = thisProgramNeedsAProcessorOf64Bits
