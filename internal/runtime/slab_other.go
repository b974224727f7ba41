//go:build !linux

package runtime

func useHugePages([]byte) {}
