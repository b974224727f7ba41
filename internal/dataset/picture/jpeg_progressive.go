package picture

// firstDC is the first scan of DC values, T.81 G.1.2.1.
func (s *jpegScan) firstDC(c scanComponent, b *block) error {
	v, err := s.nextDC(c)
	b[0] = int16(v << s.low)
	return err
}

// refineDC adds one bit to a DC value.
func (s *jpegScan) refineDC(b *block) error {
	bit, err := s.take(1)
	b[0] |= int16(bit << s.low)
	return err
}

// firstAC is the first scan of a band of coefficients, T.81 G.1.2.2.
func (s *jpegScan) firstAC(c scanComponent, b *block) error {
	if s.endOfBand > 0 {
		s.endOfBand--
		return nil
	}
	for k := s.first; k <= s.last; k++ {
		v, err := s.symbol(c.ac)
		if err != nil {
			return err
		}
		run, bits := int(v>>4), int(v&15)
		if bits == 0 {
			if run == 15 {
				k += 15
				continue
			}
			return s.startEndOfBand(run)
		}
		if k += run; k > s.last {
			return broken("a band of more than its coefficients")
		}
		value, err := s.signed(bits)
		if err != nil {
			return err
		}
		b[k] = int16(value << s.low)
	}
	return nil
}

// startEndOfBand reads how many blocks, this one among them, end here: 2^bits
// and what the bits say.
func (s *jpegScan) startEndOfBand(bits int) error {
	s.endOfBand = 1<<bits - 1
	if bits == 0 {
		return nil
	}
	more, err := s.take(bits)
	s.endOfBand += int(more)
	return err
}

// refineAC adds one bit to the coefficients of a band that are not zero, and
// places new ones of one bit, T.81 G.1.2.3.
func (s *jpegScan) refineAC(c scanComponent, b *block) error {
	k := s.first
	for k <= s.last && s.endOfBand == 0 {
		v, err := s.symbol(c.ac)
		if err != nil {
			return err
		}
		run, bits := int(v>>4), int(v&15)
		value := int32(0)
		switch {
		case bits == 1:
			sign, err := s.take(1)
			if err != nil {
				return err
			}
			value = (2*sign - 1) << s.low
		case bits != 0:
			return broken("a new coefficient of %d bits in a refinement", bits)
		case run < 15:
			if err := s.startEndOfBand(run); err != nil {
				return err
			}
			s.endOfBand++ // this block is still to be refined
			continue
		}
		if k, err = s.refineRun(b, k, run); err != nil {
			return err
		}
		if value != 0 {
			if k > s.last {
				return broken("a band of more than its coefficients")
			}
			b[k] = int16(value)
		}
		k++
	}
	if s.endOfBand == 0 {
		return nil
	}
	s.endOfBand--
	_, err := s.refineRun(b, k, 64)
	return err
}

// refineRun refines coefficients from k on until it has passed zeros that are
// zero and stands on the next one, or behind the band.
func (s *jpegScan) refineRun(b *block, k, zeros int) (int, error) {
	for ; k <= s.last; k++ {
		if b[k] == 0 {
			if zeros == 0 {
				break
			}
			zeros--
			continue
		}
		bit, err := s.take(1)
		if err != nil {
			return k, err
		}
		if step := int16(1) << s.low; bit != 0 && b[k]&step == 0 {
			if b[k] < 0 {
				step = -step
			}
			b[k] += step
		}
	}
	return k, nil
}
