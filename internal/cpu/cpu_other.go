//go:build !amd64 && !arm64

package cpu

// first is above every level: there is only Generic.
const first = I8MM + 1

var levels = []Level{Generic}

func detected() Level { return Generic }

// absent reports whether the processor lacks a level that lies below what it
// has.
func absent(Level) bool { return false }
