//go:build noasm || (!amd64 && !arm64)

package dwconv

// lastArgs is what variants read: there are none.
type lastArgs struct{}

// compute is generic of all channels.
func (r *floatTask) compute() { r.generic(0) }

// vectors reports whether compute of bytes has code for so many channels.
func vectors(_ int) bool { return false }

// together reports whether compute of bytes has code for several rows at once.
func together() bool { return false }

// rescales reports whether compute of bytes has code for fixed-point results of
// the inputs' type.
func rescales() bool { return false }

// compute is generic of all channels.
func (r *byteTask) compute() { r.generic(0) }

// columns is compute of the channels that have weights by columns. It returns how
// many are done.
func (r *byteTask) columns(*framed, []int8) int { return 0 }
