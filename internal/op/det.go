package op

import (
	"fmt"
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Det computes the determinants of square matrices [..., n, n] by elimination
// with the greatest pivot of each column, in float64.
type Det struct{}

// Name returns "Det".
func (*Det) Name() string { return "Det" }

// Infer drops the axes of the matrices.
func (*Det) Infer(in []Fact, _ int) ([]Fact, error) {
	out, err := inferOf(in, plainFloat)
	if err != nil || in[0].Shape == nil {
		return out, err
	}
	rank := len(in[0].Shape)
	if rank < 2 {
		return nil, fmt.Errorf("data of shape %v, want matrices", in[0].Shape)
	}
	if _, err := Merge(in[0].Shape[rank-2:rank-1], in[0].Shape[rank-1:]); err != nil {
		return nil, fmt.Errorf("matrices of shape %v are not square", in[0].Shape)
	}
	out[0].Shape = out[0].Shape[:rank-2]
	return out, nil
}

// Eval computes the determinants.
func (o *Det) Eval(in []Datum) ([]Datum, error) {
	out, err := prepare(o, in, 1)
	if err != nil {
		return nil, err
	}
	wide, err := Convert(arg(in, 0), dtype.Float64)
	if err != nil {
		return nil, err
	}
	c, err := room(out[0], dtype.Float64)
	if err != nil {
		return nil, err
	}
	src, dst := tensor.Data[float64](wide), tensor.Data[float64](c)
	n := wide.Shape()[wide.Rank()-1]
	m := make([]float64, len(src)/max(len(dst), 1))
	for i := range dst {
		copy(m, src[i*n*n:])
		dst[i] = determinant(m, n)
	}
	y, err := Convert(c, out[0].Type)
	return Of(y), err
}

// determinant returns that of the matrix m [n, n], which it overwrites.
func determinant(m []float64, n int) float64 {
	det := 1.0
	for col := range n {
		pivot := col
		for row := col + 1; row < n; row++ {
			if math.Abs(m[row*n+col]) > math.Abs(m[pivot*n+col]) {
				pivot = row
			}
		}
		top := m[col*n : col*n+n]
		if pivot != col {
			det = -det
			for k, v := range m[pivot*n : pivot*n+n] {
				m[pivot*n+k], top[k] = top[k], v
			}
		}
		det *= top[col]
		if top[col] == 0 {
			return 0
		}
		for row := col + 1; row < n; row++ {
			line := m[row*n : row*n+n]
			f := line[col] / top[col]
			for k := col; k < n; k++ {
				line[k] -= float64(f * top[k])
			}
		}
	}
	return det
}
