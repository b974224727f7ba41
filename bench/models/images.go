package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/octavo-ml/octavo/internal/wire/npy"
)

// writeImages writes n images of noise, named as the networks' input.
func writeImages(path string, n int) error {
	const pixels = 3 * 224 * 224
	var b bytes.Buffer
	if _, err := (random{"images", n * pixels, 0, 1, false}).WriteTo(&b); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := npy.NewArchiveWriter(f)
	err = w.Add("image", "<f4", []int{n, 3, 224, 224}, b.Bytes())
	if err == nil {
		err = w.Close()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	fmt.Println(path)
	return err
}
