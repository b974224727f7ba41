//go:build !linux

package tensor

func useHugePages([]byte) {}
