package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// png OUT WIDTHxHEIGHT FILL writes a grey picture; FILL as in npy, in steps of
// 1/255.
func makePicture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: png OUT WIDTHxHEIGHT FILL")
	}
	var w, h int
	_, err := fmt.Sscanf(args[1], "%dx%d", &w, &h)
	ts.Check(err)
	values, err := fill(args[2], w*h)
	ts.Check(err)
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i, v := range values {
		img.SetGray(i%w, i/w, color.Gray{Y: uint8(255 * v)})
	}
	var b bytes.Buffer
	ts.Check(png.Encode(&b, img))
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	ts.Check(os.WriteFile(path, b.Bytes(), 0o644))
}
