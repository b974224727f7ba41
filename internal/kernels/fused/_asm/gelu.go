package main

import (
	"fmt"
	"math"
)

// side holds, for each of 8 pieces of [0, far), the coefficients of the
// polynomial in the place inside the piece, 0 to 1, that interpolates Φ(−a) at
// Chebyshev's nodes; lowest power first. The greatest relative error is 6e-12.
const far = 4.8

var side = [12][8]float64{
	{0.5000000000000006, 0.27425311775007366, 0.1150696702217079, 0.03593031911292594, 0.008197535924596194, 0.0013498980316300495, 0.0001591085901575308, 1.3345749015911347e-05},
	{-0.23936536824100738, -0.19993476173510757, -0.11651163298982134, -0.04737009498057553, -0.013436718176924139, -0.002659109047149851, -0.0003671411580673741, -3.5365840655366646e-05},
	{7.028482572131637e-12, 0.035988257113659126, 0.04194418787129566, 0.02557985129134513, 0.009674437088253477, 0.002393198141828916, 0.00039651245067072596, 4.456095929280731e-05},
	{0.01436192196376984, 0.007677494824821849, -0.003075907015945778, -0.0063665407998244345, -0.0038375267279223317, -0.001276372331104104, -0.000263460494205731, -3.530925659754931e-05},
	{1.2524019899810128e-09, -0.002850269704039881, -0.001962988911376686, 0.0001841752584720285, 0.0008010435530574487, 0.0004307755543470965, 0.00011847791200712432, 1.957118576508268e-05},
	{-0.0007755508535211037, -0.0002093668445798407, 0.000448774503882447, 0.00030400956817771245, -2.347499477859893e-05, -8.615449949635338e-05, -3.695554515664985e-05, -7.957242897782088e-06},
	{2.512612180861146e-08, 0.00014938093236587245, 4.03520773718402e-05, -6.355591256898748e-05, -3.281282754243549e-05, 5.167021238935902e-06, 7.61688121530404e-06, 2.4028549172057716e-06},
	{3.3179109163454814e-05, 1.2748362640169164e-06, -2.3339904225022492e-05, -3.237363209013415e-06, 7.748245340494193e-06, 2.3685430177076506e-06, -7.660958331387965e-07, -5.245342576747799e-07},
	{8.98165746250635e-08, -5.791296442839052e-06, 4.747412288214381e-07, 2.9095162008965015e-06, -1.1618517589870818e-07, -7.396826496713407e-07, -8.772918658417855e-08, 7.335867698527016e-08},
	{-1.2525335308083487e-06, 1.5261039479461168e-07, 8.517385694636668e-07, -2.556617092938592e-07, -2.666658868258437e-07, 7.246536235400316e-08, 4.880521694844002e-08, -2.988080955376199e-09},
	{5.3526774032025615e-08, 2.0856488521652205e-07, -1.2514629633483894e-07, -5.474039367986408e-08, 5.216378252333054e-08, 6.101260951834209e-09, -8.492348736618508e-09, -1.1047444084153321e-09},
	{1.8576298675296573e-08, -2.683058614152069e-08, 1.9265344962310493e-09, 1.063575552081801e-08, -3.3651697647560698e-09, -1.7081285409711296e-09, 6.245464864811835e-10, 1.8771772440635026e-10},
}

// geluFloats: eltwise.Gelu of a block in float64, eight columns a step and two
// steps at a time: x·Φ(x), where Φ(x) is 1 − Φ(−x) right of zero. Where a
// float32 could be rounded the other way, and for arguments that are tiny, far
// away or no number, the bits in doubt are set. K1 and K2 are the columns of the
// steps, Z20 to Z31 the coefficients.
func geluFloats() string {
	f := newFile()
	f.function("geluFloatsAVX512")
	f.line("MOVQ call_x(DI), SI")
	f.line("MOVQ call_y(DI), DX")
	f.line("MOVQ call_rows(DI), CX")
	f.line("MOVQ call_bias(DI), AX")
	f.line("MOVQ call_doubt(DI), R8")
	for d := range side {
		f.line("VMOVUPD side<>+%d(SB), Z%d", 64*d, 20+d)
	}
	// Of 53 bits a float32 keeps 24. The Go function is 1.2e-11 off itself, and
	// rounds on another side of a middle only near it.
	const half, near = 1 << 28, 1 << 18
	for i, v := range []uint64{
		1<<63 - 1,                  // Z10: all but the sign
		math.Float64bits(8 / far),  // Z11
		math.Float64bits(0x1.8p52), // Z12: what makes whole numbers
		math.Float64bits(1),        // Z13
		math.Float64bits(far),      // Z14
		math.Float64bits(6.9),      // Z15: from where on Φ is 1
		math.Float64bits(0x1p-120), // Z16
		1<<29 - (half - near),      // Z17: added, middles are near 0
		1<<29 - 1,                  // Z18: the bits that are rounded off
		2 * near,                   // Z19
	} {
		f.wide(v, fmt.Sprintf("Z%d", 10+i))
	}
	f.label("row")
	for h := 0; h < 8; h += 2 {
		both := func(line func(s, r int)) {
			for s := range 2 {
				line(s, 5*s)
			}
		}
		both(func(s, r int) {
			f.line("KMOVB call_columns+%d(DI), K%d", h+s, 1+s)
			f.line("VMOVUPS.Z %d(SI), K%d, Y%d", 32*(h+s), 1+s, r)
			f.line("VADDPS.Z %d(AX), Y%d, K%d, Y%d", 32*(h+s), r, 1+s, r)
			f.line("VCVTPS2PD Y%d, Z%d", r, r)
		})
		both(func(s, r int) {
			f.line("VANDPD Z10, Z%d, Z%d", r, r+1)
			f.line("VMULPD Z11, Z%d, Z%d", r+1, r+2)
			f.line("VADDPD.RD_SAE Z12, Z%d, Z%d", r+2, r+3)
			f.line("VSUBPD Z12, Z%d, Z%d", r+3, r+4)
			f.line("VSUBPD Z%d, Z%d, Z%d", r+4, r+2, r+2)
			f.line("VPERMPD Z31, Z%d, Z%d", r+3, r+4)
		})
		for d := len(side) - 2; d >= 0; d-- {
			both(func(_, r int) { f.line("VPERMPD Z%d, Z%d, Z%d", 20+d, r+3, r+1) })
			both(func(_, r int) { f.line("VFMADD213PD Z%d, Z%d, Z%d", r+1, r+2, r+4) })
		}
		both(func(s, r int) {
			// Beyond reach: doubt, but for the right where nothing is taken off.
			f.line("VANDPD Z10, Z%d, Z%d", r, r+1)
			f.line("VCMPPD $5, Z14, Z%d, K%d, K%d", r+1, 1+s, 3+s)
			f.line("VCMPPD $13, Z15, Z%d, K%d, K5", r, 1+s)
			f.line("KANDNB K%d, K5, K%d", 3+s, 3+s)
			f.line("VPXORQ Z%d, Z%d, K5, Z%d", r+4, r+4, r+4)
			f.line("VCMPPD $1, Z16, Z%d, K%d, K5", r+1, 1+s)
			f.line("KORB K5, K%d, K%d", 3+s, 3+s)
		})
		both(func(s, r int) {
			f.line("VPMOVQ2M Z%d, K5", r)
			f.line("KNOTB K5, K5")
			f.line("VSUBPD Z%d, Z13, K5, Z%d", r+4, r+4)
			f.line("VMULPD Z%d, Z%d, Z%d", r+4, r, r)
			f.line("VCVTPD2PS Z%d, Y%d", r, r+1)
			f.line("VMOVUPS Y%d, K%d, %d(DX)", r+1, 1+s, 32*(h+s))
			f.line("VPADDQ Z17, Z%d, Z%d", r, r)
			f.line("VPANDQ Z18, Z%d, Z%d", r, r)
			f.line("VPCMPUQ $1, Z19, Z%d, K%d, K5", r, 1+s)
			f.line("KORB K5, K%d, K%d", 3+s, 3+s)
			f.line("KMOVB K%d, %d(R8)", 3+s, h+s)
		})
	}
	f.line("ADDQ call_xStep(DI), SI")
	f.line("ADDQ call_yStep(DI), DX")
	f.line("ADDQ $8, R8")
	f.line("DECQ CX")
	f.line("JNZ  row")
	f.line("VZEROUPPER")
	f.line("RET")
	f.table()
	f.WriteString("\n")
	for d, row := range side {
		for i, v := range row {
			fmt.Fprintf(f, "DATA side<>+%d(SB)/8, $0x%016x\n", 64*d+8*i, math.Float64bits(v))
		}
	}
	fmt.Fprintf(f, "GLOBL side<>(SB), RODATA|NOPTR, $%d\n", 64*len(side))
	return f.String()
}
