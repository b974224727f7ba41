// Command _asm writes the assembly of package eltwise for AVX-512 and AVX2 into
// the folder given as its argument. Each function does, eight elements at a time,
// the float64 steps of its Go twin in the twin's order, none of them fused.
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
	if err == nil {
		err = os.WriteFile(filepath.Join(os.Args[1], "zfunctions_avx512_amd64.s"), []byte(functions(coef)), 0o644)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(os.Args[1], "zarith_avx2_amd64.s"), []byte(arith()), 0o644)
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
		for _, e := range spec.Values[0].(*ast.CompositeLit).Elts {
			text, sign := "", 1.0
			if u, ok := e.(*ast.UnaryExpr); ok {
				e, sign = u.X, -1
			}
			text = e.(*ast.BasicLit).Value
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				panic(err)
			}
			out[spec.Names[0].Name] = append(out[spec.Names[0].Name], sign*v)
		}
		return false
	})
	return out, nil
}

// file is an assembly file with a table of constants.
type file struct {
	strings.Builder
	coef      map[string][]float64
	constants map[uint64]int // offsets by bits
	step      []string       // of a function
}

// line writes an instruction, or keeps it for the step that is being made.
func (f *file) line(format string, args ...any) {
	if f.step != nil {
		f.step = append(f.step, fmt.Sprintf(format, args...))
		return
	}
	fmt.Fprintf(f, "\t"+format+"\n", args...)
}

// bits returns the address of an 8-byte constant.
func (f *file) bits(u uint64) string {
	at, ok := f.constants[u]
	if !ok {
		at = 8 * len(f.constants)
		f.constants[u] = at
	}
	return fmt.Sprintf("constants<>+%d(SB)", at)
}

func (f *file) number(v float64) string { return f.bits(math.Float64bits(v)) }

// table appends the constants.
func (f *file) table() {
	fmt.Fprintln(f)
	byOffset := map[int]uint64{}
	for u, at := range f.constants {
		byOffset[at] = u
	}
	for _, at := range slices.Sorted(maps.Keys(byOffset)) {
		fmt.Fprintf(f, "DATA constants<>+%d(SB)/8, $0x%016x\n", at, byOffset[at])
	}
	fmt.Fprintf(f, "GLOBL constants<>(SB), RODATA|NOPTR, $%d\n", 8*len(f.constants))
}
