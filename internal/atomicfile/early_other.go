//go:build !linux

package atomicfile

import "os"

// beginWriting does nothing: no other system has a call for it.
func beginWriting(*os.File, int64, int64) {}
