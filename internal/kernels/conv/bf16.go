package conv

import "github.com/octavo-ml/octavo/internal/kernels/gemm"

// WeightBF16 is the length of weights packed by PackBF16Parts.
func (p *Plan) WeightBF16() int { return p.g.Group * p.matrix.BF16Len() }

// PackBF16Parts is PackParts for a plan of BFloat16: weights of float32 are
// rounded.
func (p *Plan) PackBF16Parts(dst []uint16, w []float32, lo, hi int) {
	scratch := make([]float32, p.matrix.FloatPanel())
	for i := lo; i < hi; i++ {
		g := i / p.panels
		p.matrix.PackBF16Panel(dst[g*p.matrix.BF16Len():], w[g*p.group:(g+1)*p.group], scratch, i%p.panels)
	}
}

// RunBF16 is Plan.Run for inputs of bfloat16, of a plan of BFloat16. y and
// other hold float32, or both bfloat16.
func RunBF16[T float32 | uint16](p *Plan, y, other []T, x, w []uint16, ends []*gemm.FloatEnd, lo, hi int, scratch []uint16) {
	src, band, size := x, -1, p.matrix.BF16Panel()
	for i := lo; i < hi; i++ {
		b := p.part(i)
		if b.band != band {
			src, band = inputOf(p, x, scratch, b, 0), b.band
		}
		var add []T
		if other != nil {
			add = other[p.to(b):]
		}
		gemm.BF16(y[p.to(b):], add, p.g.Out, src[b.group*p.held:], &p.rows, b.lines*b.run, w[b.group*p.matrix.BF16Len()+b.panel*size:], b.panel*gemm.Width, p.cols(b), ends[b.group])
	}
}
