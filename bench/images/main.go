// Command images measures what a folder of many pictures costs: peak memory by
// the number of pictures, and how much faster two threads decode than one.
//
//	go run ./bench/images [-n 20000] [-rounds 5]
//
// It writes seeded JPEG pictures into a folder that it removes again. Each
// measurement is a process of its own; times of one thread and of two are taken
// in turn, and their medians compared. Start at measure.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/testdata"
)

// side is that of the pictures.
const side = 128

// cost is what reading a folder took.
type cost struct {
	Samples int
	Peak    int64 // anonymous bytes
	Seconds float64
	CPU     float64 // seconds of all threads, start of the process included
}

func main() {
	n := flag.Int("n", 20000, "pictures of the large folder; the small one has a tenth")
	rounds := flag.Int("rounds", 5, "how often one thread and two are timed")
	folder := flag.String("read", "", "read this folder and print its cost as JSON")
	threads := flag.Int("threads", 2, "threads to read with")
	flag.Parse()
	var err error
	if *folder != "" {
		err = read(*folder, *threads)
	} else {
		err = measure(*n, *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

func measure(n, rounds int) error {
	dir, err := os.MkdirTemp("", "octavo-images-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	small, large := filepath.Join(dir, "small"), filepath.Join(dir, "large")
	if err := write(small, n/10); err != nil {
		return err
	}
	if err := write(large, n); err != nil {
		return err
	}
	for _, d := range []string{small, large} {
		c, err := child(d, 2)
		if err != nil {
			return err
		}
		fmt.Printf("%6d pictures: peak memory %.1f MB, %.2f s\n", c.Samples, float64(c.Peak)/1e6, c.Seconds)
	}
	var seconds, cpu [2][]float64
	for range rounds {
		for i := range seconds {
			c, err := child(small, i+1)
			if err != nil {
				return err
			}
			seconds[i], cpu[i] = append(seconds[i], c.Seconds), append(cpu[i], c.CPU)
		}
	}
	for i := range seconds {
		slices.Sort(seconds[i])
		slices.Sort(cpu[i])
	}
	one, two := seconds[0][rounds/2], seconds[1][rounds/2]
	fmt.Printf("decoding %d pictures, median of %d: one thread %.2f s (%.2f s of CPU), two threads %.2f s (%.2f s of CPU): %.2f times as fast\n",
		n/10, rounds, one, cpu[0][rounds/2], two, cpu[1][rounds/2], one/two)
	return nil
}

// write makes a folder of n pictures: a seeded gradient with some noise each.
func write(dir string, n int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	var b bytes.Buffer
	for i := range n {
		dx, dy, base := rng.Float64(), rng.Float64(), 100*rng.Float64()
		for y := range side {
			for x := range side {
				v := base + dx*float64(x) + dy*float64(y) + 20*rng.Float64()
				img.SetRGBA(x, y, color.RGBA{uint8(v), uint8(255 - v), uint8(v / 2), 255})
			}
		}
		b.Reset()
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%06d.jpg", i)), b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// child reads a folder in a process of its own.
func child(folder string, threads int) (cost, error) {
	var c cost
	exe, err := os.Executable()
	if err != nil {
		return c, err
	}
	cmd := exec.Command(exe, "-read", folder, "-threads", fmt.Sprint(threads))
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", threads)) // the collector too
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return c, err
	}
	err = json.Unmarshal(out, &c)
	c.CPU = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	return c, err
}

// read makes samples of all pictures of a folder, as validate does between the
// runs of the models.
func read(folder string, threads int) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(25) // as the command does
	}
	octavo.WatchMemory()
	b, err := testdata.Demo.ReadFile("demo/model.onnx")
	if err != nil {
		return err
	}
	m, err := octavo.LoadBytes("model.onnx", b)
	if err != nil {
		return err
	}
	defer m.Close()
	start := time.Now()
	d, err := m.OpenData(octavo.DataOptions{Paths: []string{folder}, Threads: threads, Preprocess: octavo.Preprocessing{Name: "unit", Color: "gray", Resize: "8x8"}})
	if err != nil {
		return err
	}
	defer d.Close()
	n := 0
	for _, err := range d.Samples(0) {
		if err != nil {
			return err
		}
		n++
	}
	return json.NewEncoder(os.Stdout).Encode(cost{Samples: n, Peak: octavo.PeakMemory(), Seconds: time.Since(start).Seconds()})
}
