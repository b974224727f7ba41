package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// png OUT WIDTHxHEIGHT FILL writes a grey picture; FILL as in npy, in steps of
// 1/255, or header for a file that ends behind what says its size.
func makePicture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: png OUT WIDTHxHEIGHT FILL")
	}
	var w, h int
	_, err := fmt.Sscanf(args[1], "%dx%d", &w, &h)
	ts.Check(err)
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	if args[2] == "header" {
		ts.Check(os.WriteFile(path, pngHeader(w, h), 0o644))
		return
	}
	values, err := fill(args[2], w*h)
	ts.Check(err)
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i, v := range values {
		img.SetGray(i%w, i/w, color.Gray{Y: uint8(255 * v)})
	}
	var b bytes.Buffer
	ts.Check(png.Encode(&b, img))
	ts.Check(os.WriteFile(path, b.Bytes(), 0o644))
}

// pngHeader is the signature and the chunk IHDR of a grey picture.
func pngHeader(w, h int) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, uint32(w))
	chunk = binary.BigEndian.AppendUint32(chunk, uint32(h))
	chunk = append(chunk, 8, 0, 0, 0, 0)
	b := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), uint32(len(chunk)-4))
	return binary.BigEndian.AppendUint32(append(b, chunk...), crc32.ChecksumIEEE(chunk))
}
