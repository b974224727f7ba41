//go:build noasm || (!amd64 && !arm64)

package dwconv

// compute is generic of all channels.
func (r *floatTask) compute() { r.generic(0) }

// compute is generic of all channels.
func (r *byteTask) compute() { r.generic(0) }
