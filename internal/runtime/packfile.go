package runtime

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"slices"
)

// A file of packed weights is, little-endian:
//
//	0   "octavopk"
//	8   uint32 version of the format, of what is packed and of the order in it
//	12  uint32 number of sections
//	16  uint64 length of the file
//	24  uint64 length of the table
//	32  key: what the weights are of
//	64  SHA-256 of the bytes before it and of the table
//	96  table: for each section uint16 length of its name, the name, uint64
//	    offset and uint64 length
//	    sections, each at a multiple of 64, in the order of the table
//
// The sum covers everything that says where numbers lie, not the numbers: those
// are as safe as the folder, and only read when they are used.
const (
	packVersion = 1
	packMagic   = "octavopk"
	packHeader  = 96
	packAlign   = 64
	packEntry   = 2 + 8 + 8 // of the table, with an empty name
)

// packID names what weights are packed of, and how.
type packID [sha256.Size]byte

// errPack says that a file is not one of packed weights, or of other ones.
var errPack = errors.New("it is no file of these packed weights")

// parsePack returns the sections of a file of packed weights by name. They are
// parts of b.
func parsePack(b []byte, id packID) (map[string][]byte, error) {
	le := binary.LittleEndian
	if len(b) < packHeader || string(b[:8]) != packMagic || le.Uint32(b[8:]) != packVersion || packID(b[32:64]) != id {
		return nil, errPack
	}
	count, size, length := le.Uint32(b[12:]), le.Uint64(b[16:]), le.Uint64(b[24:])
	if size != uint64(len(b)) || length > size-packHeader || uint64(count) > length/packEntry {
		return nil, errPack
	}
	table := b[packHeader : packHeader+length]
	if !bytes.Equal(packSum(b[:64], table), b[64:96]) {
		return nil, errPack
	}
	out, end := make(map[string][]byte, count), packHeader+length
	for range count {
		if len(table) < packEntry {
			return nil, errPack
		}
		n := int(le.Uint16(table))
		if len(table) < packEntry+n {
			return nil, errPack
		}
		name := string(table[2 : 2+n])
		at, size := le.Uint64(table[2+n:]), le.Uint64(table[10+n:])
		if at%packAlign != 0 || at < end || at > uint64(len(b)) || size > uint64(len(b))-at || out[name] != nil {
			return nil, errPack
		}
		out[name] = b[at : at+size : at+size]
		table, end = table[packEntry+n:], at+size
	}
	if len(table) > 0 {
		return nil, errPack
	}
	return out, nil
}

func packSum(head, table []byte) []byte {
	h := sha256.New()
	h.Write(head)
	h.Write(table)
	return h.Sum(nil)
}

// writePack writes a file of packed weights, the sections in the order of their
// names.
func writePack(w io.Writer, id packID, sections map[string][]byte) error {
	names := slices.Sorted(maps.Keys(sections))
	length := 0
	for _, name := range names {
		length += packEntry + len(name)
	}
	le := binary.LittleEndian
	var table []byte
	at := packHeader + length
	for _, name := range names {
		at += -at & (packAlign - 1)
		table = le.AppendUint16(table, uint16(len(name)))
		table = append(table, name...)
		table = le.AppendUint64(table, uint64(at))
		table = le.AppendUint64(table, uint64(len(sections[name])))
		at += len(sections[name])
	}
	head := le.AppendUint32([]byte(packMagic), packVersion)
	head = le.AppendUint32(head, uint32(len(names)))
	head = le.AppendUint64(head, uint64(at))
	head = le.AppendUint64(head, uint64(length))
	head = append(head, id[:]...)
	head = append(head, packSum(head, table)...)
	written := 0
	put := func(b []byte) error {
		n, err := w.Write(b)
		written += n
		return err
	}
	if err := put(append(head, table...)); err != nil {
		return err
	}
	for _, name := range names {
		if err := put(make([]byte, -written&(packAlign-1))); err != nil {
			return err
		}
		if err := put(sections[name]); err != nil {
			return err
		}
	}
	return nil
}
