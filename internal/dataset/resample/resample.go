// Package resample changes the size of pictures with the arithmetic of the
// libraries that models are trained with, to the last bit: Pillow, OpenCV and
// TensorFlow.
//
// It sees slices of interleaved pixels, rows from the top, and knows neither
// files nor models. Start at [Pillow].
package resample

import "fmt"

// Filter is how pixels are weighted.
type Filter uint8

// The filters.
const (
	Nearest Filter = iota
	Bilinear
	Bicubic
	Box
	Lanczos // of 3 lobes
)

var names = []string{"nearest", "bilinear", "bicubic", "box", "lanczos"}

// Names returns the names of the filters, in the order of their constants.
func Names() []string { return append([]string(nil), names...) }

func (f Filter) String() string {
	if int(f) < len(names) {
		return names[f]
	}
	return fmt.Sprintf("filter %d", uint8(f))
}

// Size is the extent of a picture in pixels.
type Size struct{ Width, Height int }

func (s Size) String() string { return fmt.Sprintf("%dx%d", s.Height, s.Width) }

// MaxPixels is the largest picture that is read, made, or passed through;
// MaxSide its longest side, as weights are kept for each row and column.
const (
	MaxPixels = 100_000_000
	MaxSide   = 1 << 18
)

// fits says whether s is a size to work with.
func (s Size) fits() bool {
	return s.Width > 0 && s.Height > 0 && s.Width <= MaxSide && s.Height <= MaxSide && int64(s.Width) <= MaxPixels/int64(s.Height)
}

// check refuses wrong and too large arguments before anything is allocated.
func check(length int, from, to Size, channels int) error {
	switch {
	case channels != 1 && channels != 3:
		return fmt.Errorf("resample: %d channels, 1 or 3 are supported", channels)
	case !from.fits() || length != from.Width*from.Height*channels:
		return fmt.Errorf("resample: a picture of %v pixels with %d channels in %d bytes; up to %d pixels are supported, %d along a side", from, channels, length, MaxPixels, MaxSide)
	case !to.fits():
		return fmt.Errorf("resample: a result of %v pixels; 1 to %d are supported, %d along a side", to, MaxPixels, MaxSide)
	case !(Size{to.Width, from.Height}).fits():
		return fmt.Errorf("resample: from %v to %v goes through more than %d pixels", from, to, MaxPixels)
	}
	return nil
}
