// Command _asm writes the assembly of package eltwise for AVX-512, AVX2 and NEON
// into the folder given as its argument. Each function does, a vector at a time, the
// float32 steps of its Go twin in the twin's order, fused where they are.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . FOLDER")
		os.Exit(2)
	}
	coef, err := coefficients("../zcoefficients.go")
	files := map[string]string{"zarith_avx2_amd64.s": arith(), "zbounds_avx512_amd64.s": bounds("AVX512"), "zbounds_avx2_amd64.s": bounds("AVX2"), "zarith_neon_arm64.s": arithNEON()}
	for _, m := range machines {
		files["zfunctions_"+strings.ToLower(m.name)+"_amd64.s"] = loops(m, coef)
	}
	files["zfunctions_neon_arm64.s"] = loopsNEON(coef)
	for name, text := range files {
		if err == nil {
			err = os.WriteFile(filepath.Join(os.Args[1], name), []byte(text), 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// coefficients reads the polynomials of the Go twins.
func coefficients(name string) (map[string][]float64, error) {
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		return nil, err
	}
	out := map[string][]float64{}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		ast.Inspect(spec.Values[0].(*ast.CompositeLit), func(n ast.Node) bool {
			sign := 1.0
			if u, ok := n.(*ast.UnaryExpr); ok {
				n, sign = u.X, -1
			}
			l, ok := n.(*ast.BasicLit)
			if !ok {
				_, isType := n.(*ast.ArrayType)
				return !isType
			}
			v, err := strconv.ParseFloat(l.Value, 64)
			if err != nil {
				panic(err)
			}
			out[spec.Names[0].Name] = append(out[spec.Names[0].Name], sign*v)
			return false
		})
		return false
	})
	return out, nil
}

// file is an assembly file with constants of 32 bits, and tables of them.
type file struct {
	strings.Builder
	coef   map[string][]float64
	words  map[uint32]int // offsets by bits
	tables []string
}

func (f *file) line(format string, args ...any) { fmt.Fprintf(f, "\t"+format+"\n", args...) }

// word returns the offset of a constant.
func (f *file) word(u uint32) int {
	at, ok := f.words[u]
	if !ok {
		at = 4 * len(f.words)
		f.words[u] = at
	}
	return at
}

// table appends the constants.
func (f *file) table() {
	fmt.Fprintln(f)
	byOffset := map[int]uint32{}
	for u, at := range f.words {
		byOffset[at] = u
	}
	for _, at := range slices.Sorted(maps.Keys(byOffset)) {
		fmt.Fprintf(f, "DATA words<>+%d(SB)/4, $0x%08x\n", at, byOffset[at])
	}
	fmt.Fprintf(f, "GLOBL words<>(SB), RODATA|NOPTR, $%d\n", 4*len(f.words))
	slices.Sort(f.tables)
	for _, name := range slices.Compact(f.tables) {
		fmt.Fprintln(f)
		for i, v := range f.coef[name] {
			fmt.Fprintf(f, "DATA %s<>+%d(SB)/4, $0x%08x\n", name, 4*i, math.Float32bits(float32(v)))
		}
		fmt.Fprintf(f, "GLOBL %s<>(SB), RODATA|NOPTR, $%d\n", name, 4*len(f.coef[name]))
	}
}
