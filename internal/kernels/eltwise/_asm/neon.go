package main

import (
	"fmt"
	"strconv"

	neon "github.com/octavo-ml/octavo/internal/kernels/_neon"
)

// On NEON the last registers are the parameter, a constant, one that is written
// between, the bytes by which a piece of 16 is looked up, and a table of 16.
const (
	neonTable = 24 // and the three behind it
	neonCell  = 28
	neonSpare = 29
)

var neonMachine = machine{name: "NEON", registers: 32, letter: "V", lanes: 4, streams: 3}

// neonThree and neonShift name the instructions of NEON for those of AVX.
var neonThree = map[string]string{
	"VADDPS": "fadd", "VSUBPS": "fsub", "VMULPS": "fmul", "VDIVPS": "fdiv", "VMAXPS": "fmax", "VMINPS": "fmin",
	"VANDPS": "and", "VORPS": "orr", "VXORPS": "eor", "VPADDD": "add", "VPSUBD": "sub",
}

var neonShift = map[string]string{"VPSLLD": "shl", "VPSRLD": "ushr", "VPSRAD": "sshr"}

func loopsNEON(coef map[string][]float64) string {
	w := &writer{file: &file{coef: coef, words: map[uint32]int{}}, machine: neonMachine}
	w.WriteString(header)
	fmt.Fprintf(w, "\n// func functionsNEON(f function, dst, x *float32, steps int, parameter float32)\nTEXT ·functionsNEON(SB), NOSPLIT, $0-36\n")
	for i, p := range []string{"f", "dst", "x", "steps"} {
		w.line("MOVD %s+%d(FP), R%d", p, 8*i, i)
	}
	w.line("MOVWU parameter+32(FP), R4")
	w.line("VDUP R4, V%d.S4", w.registers-2)
	w.line("MOVD $words<>(SB), R5")
	w.line("MOVD $0x04040404, R4")
	w.line("VDUP R4, V%d.S4", neonCell)
	for i, f := range functions[1:] {
		w.line("CMP $%d, R0", i+1)
		w.line("BEQ %s", f.name)
	}
	for i, f := range functions {
		if i > 0 {
			fmt.Fprintf(w, "\n%s:\n", f.name)
		}
		w.loop(f.name, f.step)
	}
	w.table()
	return w.String()
}

// count writes the change of the number of steps left, and the branch on it.
func (w *writer) count(change int, branch, label string) {
	if w.lanes == 4 {
		op := "ADDS"
		if change < 0 {
			op, change = "SUBS", -change
		}
		w.line("%s $%d, R3, R3", op, change)
		w.line("%s %s", map[string]string{"JLT": "BLT", "JGE": "BGE", "JZ": "BEQ", "JNZ": "BNE"}[branch], label)
		return
	}
	op := "ADDQ"
	if change < 0 {
		op, change = "SUBQ", -change
	}
	w.line("%s $%d, CX", op, change)
	w.line("%-4s %s", branch, label)
}

// opNEON writes an instruction of AVX as those of NEON. AVX names d = a op b as
// "op b, a, d".
func (w *writer) opNEON(name string, o ...string) {
	var r []int // registers; constants are broadcast before the steps
	for s := range w.steps {
		r = r[:0]
		for _, x := range o {
			if x[0] != '$' && x[0] != '(' {
				n, _ := strconv.Atoi(w.operand(x, s)[1:])
				r = append(r, n)
			}
		}
		switch {
		case name == "VMOVUPS" && o[0][0] == '(':
			w.line("VLD1.P 16(R2), [V%d.S4]", r[0])
		case name == "VMOVUPS":
			w.line("VST1.P [V%d.S4], 16(R1)", r[0])
		case name == "VMOVAPS":
			w.move(r[0], r[1])
		case name == "VFMADD231PS":
			w.line("%s", neon.Three("fmla", r[2], r[1], r[0]))
		case name == "VFMADD213PS", name == "VFNMADD213PS":
			fused := map[byte]string{'M': "fmla", 'N': "fmls"}[name[2]]
			w.move(r[0], neonSpare)
			w.line("%s", neon.Three(fused, neonSpare, r[1], r[2]))
			w.move(neonSpare, r[2])
		case name == "VCMPPS":
			w.line("%s", neon.Three(map[string]string{"$30": "fcmgt", "$0": "fcmeq"}[o[0]], r[2], r[1], r[0]))
		case name == "VBLENDVPS":
			w.line("%s", neon.Shift("sshr", neonSpare, r[0], 31))
			w.line("%s", neon.Three("bsl", neonSpare, r[1], r[2]))
			w.move(neonSpare, r[3])
		case neonShift[name] != "":
			by, _ := strconv.Atoi(o[0][1:])
			w.line("%s", neon.Shift(neonShift[name], r[1], r[0], by))
		case neonThree[name] != "":
			w.line("%s", neon.Three(neonThree[name], r[2], r[1], r[0]))
		default:
			panic("no form of " + name + " for NEON")
		}
	}
}

func (w *writer) move(from, to int) {
	if from != to {
		w.line("VORR V%d.B16, V%d.B16, V%d.B16", from, from, to)
	}
}

// broadcastNEON fills a register with a constant.
func (w *writer) broadcastNEON(o, register string) {
	w.line("ADD $%d, R5, R4", w.offset(o))
	w.line("VLD1R (R4), [%s.S4]", register)
}

// bytesOfCells turns the numbers of pieces into those of their four bytes.
func (w *writer) bytesOfCells() {
	w.op("VPSLLD", "$28", "i", "i")
	w.op("VPSRLD", "$28", "i", "i")
	for s := range w.steps {
		n, _ := strconv.Atoi(w.operand("i", s)[1:])
		w.line("%s", neon.Three("mul", n, n, neonCell))
	}
	w.op("VPADDD", "=50462976", "i", "i") // 0x03020100
}

// lookNEON looks up row d of a table of pieces.
func (w *writer) lookNEON(table string, d int, y string) {
	w.line("MOVD $%s<>+%d(SB), R4", table, 64*d)
	w.line("VLD1 (R4), [V%d.B16, V%d.B16, V%d.B16, V%d.B16]", neonTable, neonTable+1, neonTable+2, neonTable+3)
	for s := range w.steps {
		i, _ := strconv.Atoi(w.operand("i", s)[1:])
		to, _ := strconv.Atoi(w.operand(y, s)[1:])
		w.line("%s", neon.Three("tbl4.16b", to, neonTable, i))
	}
}
