package picture

import (
	"slices"
)

// jpegScan is one scan, T.81 B.2.3.
type jpegScan struct {
	bitReader
	frame *jpegFrame
	comps []scanComponent
	// Progressive scans code the coefficients first to last, in zigzag order,
	// from bit low on; refine says that higher bits came before.
	first, last int
	low         int
	refine      bool
	// endOfBand is how many blocks are still to come without new coefficients.
	endOfBand int
}

type scanComponent struct {
	*jpegComponent
	dc, ac *huffman
}

func (d *jpegDecoder) scan(b []byte) error {
	s, err := d.newScan(b)
	if err != nil {
		return err
	}
	if err := s.run(d.restart); err != nil {
		return err
	}
	d.b = s.b
	return nil
}

func (d *jpegDecoder) newScan(b []byte) (*jpegScan, error) {
	if d.frame == nil {
		return nil, broken("a scan before the frame's header")
	}
	if len(b) < 1 || b[0] < 1 || b[0] > 4 || len(b) != 4+2*int(b[0]) {
		return nil, broken("scan header of %d bytes", len(b))
	}
	s := &jpegScan{frame: d.frame, last: 63, bitReader: bitReader{b: d.b}}
	n := int(b[0])
	if d.frame.progressive {
		at := b[1+2*n:]
		s.first, s.last, s.low, s.refine = int(at[0]), int(at[1]), int(at[2]&15), at[2]>>4 != 0
		band := s.first > 0 && s.first <= s.last && s.last < 64 && n == 1
		if dc := s.first == 0 && s.last == 0; !dc && !band || s.low > 13 || s.refine && int(at[2]>>4) != s.low+1 {
			return nil, broken("progressive scan of coefficients %d to %d, bits %#x, %d components", s.first, s.last, at[2], n)
		}
	}
	units := 0
	for i := range n {
		id, tables := b[1+2*i], b[2+2*i]
		at := slices.IndexFunc(d.frame.comps, func(c *jpegComponent) bool { return c.id == id })
		if at < 0 || tables>>4 > 3 || tables&15 > 3 {
			return nil, broken("scan of component %d, tables %#x", id, tables)
		}
		c := scanComponent{d.frame.comps[at], d.huff[0][tables>>4], d.huff[1][tables&15]}
		if slices.ContainsFunc(s.comps, func(o scanComponent) bool { return o.id == id }) {
			return nil, broken("component %d twice in a scan", id)
		}
		if s.first == 0 && !s.refine && c.dc == nil || s.last > 0 && c.ac == nil {
			return nil, broken("a scan whose table of codes is missing")
		}
		if c.quant == nil {
			if c.quant = d.quant[c.table]; c.quant == nil {
				return nil, broken("quantization table %d is missing", c.table)
			}
		}
		if s.first == 0 && !s.refine {
			if c.hasDC {
				return nil, broken("component %d comes twice", id)
			}
			c.hasDC = true
		} else if !c.hasDC {
			return nil, broken("component %d is refined before it comes", id)
		}
		for k := s.first; k <= s.last; k++ {
			c.missing[k] = uint8(s.low)
		}
		d.frame.allocate(c.jpegComponent)
		units += c.h * c.v
		s.comps = append(s.comps, c)
	}
	if n > 1 && units > 10 {
		return nil, broken("%d blocks in a unit, 10 at most", units)
	}
	return s, nil
}

// run decodes all units. A scan of one component has its blocks row by row;
// one of several has units of h by v blocks of each, and pads the last ones.
func (s *jpegScan) run(restart int) error {
	s.reset()
	unitsX, unitsY := s.frame.mcusX, s.frame.mcusY
	single := len(s.comps) == 1
	if single {
		unitsX, unitsY = s.comps[0].blocksX, s.comps[0].blocksY
	}
	for i := range unitsX * unitsY {
		if restart > 0 && i > 0 && i%restart == 0 {
			if err := s.restart(i/restart - 1); err != nil {
				return err
			}
			s.reset()
		}
		ux, uy := i%unitsX, i/unitsX
		for _, c := range s.comps {
			if single {
				if err := s.block(c, ux, uy); err != nil {
					return err
				}
				continue
			}
			for j := range c.h * c.v {
				if err := s.block(c, ux*c.h+j%c.h, uy*c.v+j/c.h); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *jpegScan) reset() {
	s.endOfBand = 0
	for _, c := range s.comps {
		c.pred = 0
	}
}

// block decodes the block of c at column x and row y.
func (s *jpegScan) block(c scanComponent, x, y int) error {
	if !s.frame.progressive {
		var b block
		if err := s.sequential(c, &b); err != nil {
			return err
		}
		c.store(x, y, &b)
		return nil
	}
	b := &c.coefs[y*(c.stride/8)+x]
	switch {
	case s.first == 0 && s.refine:
		return s.refineDC(b)
	case s.first == 0:
		return s.firstDC(c, b)
	case s.refine:
		return s.refineAC(c, b)
	}
	return s.firstAC(c, b)
}

// nextDC returns the DC coefficient, coded as its change, T.81 F.2.2.1.
func (s *jpegScan) nextDC(c scanComponent) (int32, error) {
	n, err := s.symbol(c.dc)
	if err != nil {
		return 0, err
	}
	if n > 15 {
		return 0, broken("a DC value of %d bits", n)
	}
	change, err := s.signed(int(n))
	c.pred += change
	return c.pred, err
}

// sequential decodes all coefficients of a block, T.81 F.2.2.
func (s *jpegScan) sequential(c scanComponent, b *block) error {
	dc, err := s.nextDC(c)
	if err != nil {
		return err
	}
	b[0] = int16(dc)
	for k := 1; k < 64; k++ {
		v, err := s.symbol(c.ac)
		if err != nil {
			return err
		}
		run, bits := int(v>>4), int(v&15)
		if bits == 0 {
			if run != 15 {
				return nil
			}
			k += 15
			continue
		}
		if k += run; k > 63 {
			return broken("a block of more than 64 coefficients")
		}
		value, err := s.signed(bits)
		if err != nil {
			return err
		}
		b[k] = int16(value)
	}
	return nil
}
