//go:build amd64 && !linux

package cpu

// permitTiles reports whether AMX may be used: how to ask is known of Linux
// alone.
func permitTiles() bool { return false }
