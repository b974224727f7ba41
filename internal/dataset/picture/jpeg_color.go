package picture

// picture makes pixels of the components' samples.
func (d *jpegDecoder) picture() *Picture {
	f := d.frame
	p := &Picture{Width: f.width, Height: f.height, Channels: 3}
	if len(f.comps) == 1 {
		p.Channels = 1
	}
	p.Pix = make([]uint8, p.Width*p.Height*p.Channels)
	var ups []*upsampler
	for _, c := range f.comps {
		ups = append(ups, newUpsampler(c.plane(), f.hMax/c.h, f.vMax/c.v))
	}
	luma := d.hasLuma()
	rows := make([][]uint8, len(ups))
	for y := range p.Height {
		for i, u := range ups {
			rows[i] = u.at(y)[:p.Width]
		}
		out := p.Pix[y*p.Width*p.Channels:][:p.Width*p.Channels]
		switch {
		case len(rows) == 1:
			copy(out, rows[0])
			continue
		case luma:
			yccRow(out, rows[0], rows[1], rows[2])
		default:
			for c := range 3 {
				for x, v := range rows[c] {
					out[3*x+c] = v
				}
			}
		}
		if len(rows) == 4 {
			if luma { // YCCK's red, green and blue are complements of the inks
				for i, v := range out {
					out[i] = 255 - v
				}
			}
			blacken(out, rows[3])
		}
	}
	return p
}

// hasLuma says whether the first three components are luma and chroma, by the
// rules of libjpeg: JFIF's marker, then Adobe's, then the components' ids.
func (d *jpegDecoder) hasLuma() bool {
	c := d.frame.comps
	switch {
	case len(c) == 4:
		return d.adobe && d.adobeTransform != 0
	case d.jfif:
		return true
	case d.adobe:
		return d.adobeTransform != 0
	}
	return len(c) < 3 || c[0].id != 'R' || c[1].id != 'G' || c[2].id != 'B'
}

// blacken takes a row of three inks and one of black, all inverted as Adobe
// stores them (255: no ink), to red, green and blue: as Pillow does, whether
// Adobe's marker is there or not.
func blacken(out, black []uint8) {
	for x, k := range black {
		light := int32(k)
		for c := range 3 {
			ink := (255-int32(out[3*x+c]))*light + 128
			out[3*x+c] = clamp(light - (ink+ink>>8)>>8)
		}
	}
}
