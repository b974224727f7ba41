//go:build !unix

package runtime

type usage struct{}

// taken is not known.
func (u *usage) taken() int64 { return 0 }
