//go:build !amd64 && !arm64

package cpu

// levels lists the levels of this architecture, lowest first.
var levels = []Level{Generic}

func detected() Level { return Generic }
