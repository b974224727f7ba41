//go:build noasm || !amd64

package kerneltest

func burst(bool) int { return 0 }
