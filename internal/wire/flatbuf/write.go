package flatbuf

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
)

// Part is what a file is built of: [Fields], or a vector. It is written once,
// behind all that refer to it, as offsets lead forward.
type Part interface {
	// plan says where the part begins, given where it may, and where it ends.
	plan(f *File, at int64) (begin, end int64)
	// parts returns what it refers to, in order.
	parts() []Part
	// write writes the part, which begins at at.
	write(w *output, at int64)
}

// Fields is a table that is built. The zero value is an empty one.
type Fields struct {
	list   []field
	shape  []byte // its list of fields, as it is written
	vtable int64  // where that stands
}

type field struct {
	slot, size, at int
	bits           *uint64
	part           Part
}

// Byte sets an unsigned field of 8 bits.
func (t *Fields) Byte(slot int, v byte) { t.bits(slot, 1, uint64(v)) }

// Bool sets a boolean field.
func (t *Fields) Bool(slot int, v bool) {
	if v {
		t.bits(slot, 1, 1)
		return
	}
	t.bits(slot, 1, 0)
}

// Int32 sets a field of 32 bits.
func (t *Fields) Int32(slot int, v int32) { t.bits(slot, 4, uint64(uint32(v))) }

// Float32 sets a floating-point field.
func (t *Fields) Float32(slot int, v float32) { t.bits(slot, 4, uint64(math.Float32bits(v))) }

// Later sets a field of 64 bits whose value is read when the file is written,
// so that it may tell what is known of the file only once it is planned.
func (t *Fields) Later(slot int, v *uint64) {
	t.list = append(t.list, field{slot: slot, size: 8, bits: v})
}

// Part sets a field that refers to another part.
func (t *Fields) Part(slot int, p Part) { t.list = append(t.list, field{slot: slot, size: 4, part: p}) }

// Union sets a field that is a table of one of several types: the type takes
// the slot, the table the next.
func (t *Fields) Union(slot int, typ byte, p Part) {
	t.Byte(slot, typ)
	t.Part(slot+1, p)
}

func (t *Fields) bits(slot, size int, v uint64) {
	t.list = append(t.list, field{slot: slot, size: size, bits: &v})
}

func (t *Fields) parts() []Part {
	slices.SortFunc(t.list, func(a, b field) int { return cmp.Compare(a.slot, b.slot) })
	var out []Part
	for _, f := range t.list {
		if f.part != nil {
			out = append(out, f.part)
		}
	}
	return out
}

// plan lays the fields out, the largest first, behind the four bytes that lead
// to the list of fields. Tables of one shape share that list.
func (t *Fields) plan(f *File, at int64) (begin, end int64) {
	order := slices.Clone(t.list)
	slices.SortStableFunc(order, func(a, b field) int {
		return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(a.slot, b.slot))
	})
	pos, last, eight := 4, -1, false
	for i := range order {
		order[i].at = pos
		pos += order[i].size
		last = max(last, order[i].slot)
		eight = eight || order[i].size == 8
	}
	t.list = order
	shape := make([]byte, 4+2*(last+1))
	binary.LittleEndian.PutUint16(shape, uint16(len(shape)))
	binary.LittleEndian.PutUint16(shape[2:], uint16(pos))
	for _, o := range order {
		binary.LittleEndian.PutUint16(shape[4+2*o.slot:], uint16(o.at))
	}
	t.shape, t.vtable = shape, f.shape(shape, &at)
	begin = align(at, 4, 0)
	if eight {
		begin = align(at, 8, 4) // such fields come first, behind four bytes
	}
	return begin, begin + int64(pos)
}

func (t *Fields) write(w *output, at int64) {
	if t.vtable >= w.at { // the first of its shape: the list stands before it
		w.pad(t.vtable)
		w.Write(t.shape)
	}
	w.pad(at)
	w.number(uint64(uint32(at-t.vtable)), 4)
	for _, f := range t.list {
		v := uint64(0)
		if f.part != nil {
			v = uint64(w.file.where(f.part) - at - int64(f.at))
		} else {
			v = *f.bits
		}
		w.number(v, f.size)
	}
}

// vector is one of plain numbers or bytes.
type vector struct {
	count int
	size  int64 // of the elements, in bytes
	align int64
	from  io.WriterTo
	end   []byte
}

func (v *vector) parts() []Part { return nil }

func (v *vector) plan(_ *File, at int64) (begin, end int64) {
	begin = align(at, max(v.align, 4), max(v.align, 4)-4)
	return begin, begin + 4 + v.size + int64(len(v.end))
}

func (v *vector) write(w *output, at int64) {
	w.pad(at)
	w.number(uint64(v.count), 4)
	w.from(v.from, v.size)
	w.Write(v.end)
}

// raw are bytes that may be written again and again.
type raw []byte

// WriteTo writes them.
func (b raw) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(b)
	return int64(n), err
}

// Numbers returns a vector of numbers of 8, 32 or 64 bits.
func Numbers[T uint8 | int8 | int32 | uint32 | float32 | int64](x []T) Part {
	size := int64(binary.Size(x))
	b, _ := binary.Append(make([]byte, 0, size), binary.LittleEndian, x)
	width := int64(1)
	if len(x) > 0 {
		width = size / int64(len(x))
	}
	return &vector{count: len(x), size: size, align: width, from: raw(b)}
}

// String returns a string.
func String(s string) Part {
	return &vector{count: len(s), size: int64(len(s)), align: 1, from: raw(s), end: []byte{0}}
}

// Blob returns a vector of size bytes that w writes whenever the file is written,
// beginning at a multiple of align.
func Blob(size, align int64, w io.WriterTo) Part {
	return &vector{count: int(size), size: size, align: align, from: w}
}

// Parts is a vector of tables or strings.
type Parts []Part

type partVector struct{ list []Part }

// Vector returns the vector of its elements.
func (p Parts) Vector() Part { return &partVector{p} }

func (v *partVector) parts() []Part { return v.list }

func (v *partVector) plan(_ *File, at int64) (begin, end int64) {
	begin = align(at, 4, 0)
	return begin, begin + 4 + 4*int64(len(v.list))
}

func (v *partVector) write(w *output, at int64) {
	w.pad(at)
	w.number(uint64(len(v.list)), 4)
	for i, p := range v.list {
		w.number(uint64(w.file.where(p)-at-4-4*int64(i)), 4)
	}
}

// File is a planned file. The same parts give the same bytes.
type File struct {
	id     string
	root   Part
	order  []Part
	refs   map[Part]int // places that refer to a part and are not planned yet
	first  map[content]Part
	at     map[Part]int64
	shapes map[string]int64
	size   int64
}

// content is what makes strings and vectors of numbers one part.
type content struct {
	count int
	align int64
	bytes string
}

// maxSize is the largest file that offsets of 32 bits, one of them with a sign,
// can lead through.
const maxSize = math.MaxInt32

// Plan lays a file out: root and, behind each part, those that it refers to.
// Strings and vectors of numbers that are alike are one part, as the format
// permits. It is an error if a part contains itself, or if offsets cannot lead
// through the file.
func Plan(id string, root Part) (*File, error) {
	f := &File{id: id, root: root, refs: map[Part]int{}, first: map[content]Part{}, at: map[Part]int64{}, shapes: map[string]int64{}, size: 8}
	if err := f.count(root, map[Part]bool{}); err != nil {
		return nil, err
	}
	return f, f.place(root)
}

// count counts the places that refer to p and to its parts; in are those that p
// is part of.
func (f *File) count(p Part, in map[Part]bool) error {
	if in[p] {
		return fmt.Errorf("flatbuffer: a table contains itself")
	}
	if f.refs[p]++; f.refs[p] > 1 {
		return nil
	}
	in[p] = true
	defer delete(in, p)
	for _, q := range p.parts() {
		if err := f.count(f.one(q), in); err != nil {
			return err
		}
	}
	return nil
}

// one returns the part that is written for p.
func (f *File) one(p Part) Part {
	v, ok := p.(*vector)
	if !ok {
		return p
	}
	b, ok := v.from.(raw)
	if !ok {
		return p
	}
	key := content{v.count, v.align, string(b) + string(v.end)}
	if f.first[key] == nil {
		f.first[key] = p
	}
	return f.first[key]
}

// place plans p, and what no other part refers to any more.
func (f *File) place(p Part) error {
	parts := p.parts()
	f.at[p], f.size = p.plan(f, f.size)
	if f.size > maxSize {
		return fmt.Errorf("flatbuffer: the file needs more than %d bytes", maxSize)
	}
	f.order = append(f.order, p)
	for _, q := range parts {
		one := f.one(q)
		if f.refs[one]--; f.refs[one] > 0 {
			continue
		}
		if err := f.place(one); err != nil {
			return err
		}
	}
	return nil
}

// where returns where p, or the part that is written for it, begins.
func (f *File) where(p Part) int64 { return f.at[f.one(p)] }

// Size is the number of bytes of the file.
func (f *File) Size() int64 { return f.size }

// shape returns where the list of fields stands: where it stood before, or at,
// which then moves behind it.
func (f *File) shape(list []byte, at *int64) int64 {
	if pos, ok := f.shapes[string(list)]; ok {
		return pos
	}
	pos := align(*at, 2, 0)
	f.shapes[string(list)] = pos
	*at = pos + int64(len(list))
	return pos
}

// WriteTo writes the file.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	o := &output{file: f, w: w}
	o.number(uint64(f.at[f.root]), 4)
	o.Write([]byte(f.id)[:4])
	for _, p := range f.order {
		p.write(o, f.at[p])
	}
	return o.at, o.err
}

// output counts what is written and keeps the first error.
type output struct {
	file *File
	w    io.Writer
	at   int64
	err  error
}

// Write writes b and fails like the writer below.
func (o *output) Write(b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(b)
	o.at += int64(n)
	o.err = err
	return n, err
}

func (o *output) from(w io.WriterTo, size int64) {
	start := o.at
	if _, err := w.WriteTo(o); err != nil && o.err == nil {
		o.err = err
	}
	if o.err == nil && o.at-start != size {
		o.err = fmt.Errorf("flatbuffer: a vector of %d bytes was written with %d", size, o.at-start)
	}
}

func (o *output) number(v uint64, size int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	o.Write(b[:size])
}

func (o *output) pad(to int64) {
	if n := to - o.at; n > 0 {
		o.Write(make([]byte, n))
	}
}

// align returns the least number from at on that is rest modulo n.
func align(at, n, rest int64) int64 { return at + (rest-at%n+n)%n }
