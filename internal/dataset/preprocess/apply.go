package preprocess

import (
	"math"

	"github.com/octavo-ml/octavo/internal/dataset/picture"
	"github.com/octavo-ml/octavo/internal/dataset/resample"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Apply makes the input from one picture: a new tensor of the pipeline's type,
// of the rank of the input's shape, a batch being 1. It fails where the
// picture does not come out at the input's size.
func (p *Pipeline) Apply(pic *picture.Picture) (*tensor.Tensor, error) {
	size := resample.Size{Width: pic.Width, Height: pic.Height}
	if (pic.Channels != 1 && pic.Channels != 3) || pic.Width <= 0 || pic.Height <= 0 || len(pic.Pix) != pic.Width*pic.Height*pic.Channels {
		return nil, diag.Usagef("preprocessing: a picture of %v with %d channels", size, pic.Channels)
	}
	pix := p.recolor(pic)
	to := p.target(size)
	if p.resampler != "tf" {
		if from := size; from != to {
			resize := resample.Pillow
			if p.resampler == "cv2" {
				resize = resample.OpenCV
			}
			var err error
			if pix, err = resize(pix, from, to, p.channels, p.filter); err != nil {
				return nil, diag.Usagef("preprocessing: %w", err)
			}
		}
		return finish(p, pix, to, func(c int, v uint8) float32 { return p.table[c][v] })
	}
	values, err := resample.TensorFlow(pix, size, to, p.channels, p.filter)
	if err != nil {
		return nil, diag.Usagef("preprocessing: %w", err)
	}
	return finish(p, values, to, p.value)
}

// recolor gives the picture the input's channels in the order of color.
func (p *Pipeline) recolor(pic *picture.Picture) []uint8 {
	n := pic.Width * pic.Height
	switch {
	case p.channels == 1 && pic.Channels == 3:
		out := make([]uint8, n)
		for i := range out {
			r, g, b := uint32(pic.Pix[3*i]), uint32(pic.Pix[3*i+1]), uint32(pic.Pix[3*i+2])
			out[i] = uint8((r*19595 + g*38470 + b*7471 + 0x8000) >> 16) // ITU-R 601 as Pillow rounds it
		}
		return out
	case p.channels == 3 && pic.Channels == 1:
		out := make([]uint8, 3*n)
		for i, v := range pic.Pix {
			out[3*i], out[3*i+1], out[3*i+2] = v, v, v
		}
		return out
	case p.color == "bgr":
		out := make([]uint8, 3*n)
		for i := range n {
			out[3*i], out[3*i+1], out[3*i+2] = pic.Pix[3*i+2], pic.Pix[3*i+1], pic.Pix[3*i]
		}
		return out
	}
	return pic.Pix
}

// target is the size that a picture is resized to.
func (p *Pipeline) target(from resample.Size) resample.Size {
	switch {
	case p.letterbox:
		return inside(from, p.exact)
	case p.shorter > 0:
		return shorterSide(from, p.shorter)
	case p.exact.Width > 0:
		return p.exact
	}
	return from
}

// finish does what follows resizing.
func finish[V uint8 | float32](p *Pipeline, pix []V, size resample.Size, value func(c int, v V) float32) (*tensor.Tensor, error) {
	if p.letterbox {
		left, top := (p.exact.Width-size.Width)/2, (p.exact.Height-size.Height)/2
		pix, size = window(pix, size, p.exact, -left, -top, p.channels, V(p.fill)), p.exact
	}
	if to := p.cropping.size; to.Width > 0 {
		left, top := p.offset(size.Width, to.Width), p.offset(size.Height, to.Height)
		pix, size = window(pix, size, to, left, top, p.channels, 0), to
	}
	if p.height >= 0 && p.height != size.Height || p.width >= 0 && p.width != size.Width {
		return nil, diag.Usagef("preprocessing: the picture comes out at %v, the input takes %s", size, p.inputSize()).
			Note("--resize %s resizes to exactly that, --crop cuts the centre out", toInput)
	}
	return pack(p, pix, size, value), nil
}

// shorterSide is torchvision's size for Resize with one number.
func shorterSide(from resample.Size, side int) resample.Size {
	long := func(short, long int) int { return int(float64(int64(side)*int64(long)) / float64(short)) }
	if from.Width <= from.Height {
		return resample.Size{Width: side, Height: long(from.Width, from.Height)}
	}
	return resample.Size{Width: long(from.Height, from.Width), Height: side}
}

// inside is the largest size of from's proportions that fits into box.
func inside(from, box resample.Size) resample.Size {
	ratio := min(float64(box.Width)/float64(from.Width), float64(box.Height)/float64(from.Height))
	side := func(n, most int) int { return min(most, max(1, int(math.RoundToEven(float64(n)*ratio)))) }
	return resample.Size{Width: side(from.Width, box.Width), Height: side(from.Height, box.Height)}
}

// offset is where the centred part begins; negative where it is padded.
func (c cropping) offset(from, to int) int {
	excess := from - to
	switch {
	case c.floor:
		return excess >> 1
	case excess < 0:
		return -(-excess / 2)
	}
	return int(math.RoundToEven(float64(excess) / 2))
}

// window cuts a part of size to out of a picture, from left and top on; what
// lies outside is fill.
func window[V uint8 | float32](pix []V, from, to resample.Size, left, top, channels int, fill V) []V {
	out := make([]V, to.Width*to.Height*channels)
	if fill != 0 {
		for i := range out {
			out[i] = fill
		}
	}
	first, end := max(0, left), min(from.Width, left+to.Width)
	for y := max(0, top); y < min(from.Height, top+to.Height); y++ {
		if first < end {
			copy(out[((y-top)*to.Width+first-left)*channels:], pix[(y*from.Width+first)*channels:(y*from.Width+end)*channels])
		}
	}
	return out
}

// pack gives every pixel its value and lays the channels out.
func pack[V uint8 | float32](p *Pipeline, pix []V, size resample.Size, value func(c int, v V) float32) *tensor.Tensor {
	shape := []int{p.channels, size.Height, size.Width}
	if p.last {
		shape = []int{size.Height, size.Width, p.channels}
	}
	if p.batch {
		shape = append([]int{1}, shape...)
	}
	t := tensor.New(p.typ, shape...)
	switch p.typ {
	case dtype.Uint8:
		spread(tensor.Data[uint8](t), pix, p, value)
	case dtype.Int8:
		spread(tensor.Data[int8](t), pix, p, value)
	default:
		spread(tensor.Data[float32](t), pix, p, value)
	}
	return t
}

func spread[T float32 | uint8 | int8, V uint8 | float32](dst []T, pix []V, p *Pipeline, value func(c int, v V) float32) {
	n := len(pix) / p.channels
	for c := range p.channels {
		start, step := c*n, 1
		if p.last {
			start, step = c, p.channels
		}
		for i := range n {
			dst[start+i*step] = T(value(c, pix[i*p.channels+c]))
		}
	}
}
