//go:build !unix

package format

import "io/fs"

// links returns 1: the count is not in what Windows tells of a file here.
func links(fs.FileInfo) uint64 { return 1 }
