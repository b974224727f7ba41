// Package picture decodes photographs and drawings into 8-bit pixels, as the
// libraries that models are trained with decode them.
//
// It knows no model and scales nothing. Start at [Decode].
package picture

// Picture is decoded pixels, EXIF orientation applied: rows from the top,
// pixels from the left, Channels interleaved bytes a pixel.
type Picture struct {
	Width, Height int
	Channels      int // 1: grey, 3: red, green, blue
	Pix           []uint8
}
