// Command large measures what octavo costs on a model larger than memory should
// hold: time and peak memory of inspect, convert and quantize on a seeded
// transformer, and the speed of convert beside that of copying the same files.
//
//	go run ./bench/large -octavo ./octavo -o DIR [-layers 27] [-rounds 3] [-algorithms]
//
// With -algorithms it measures instead what the algorithms of mode weight-only
// cost on a transformer of 92 million parameters.
//
// The model has 6 GB where the disk has room for three times that, and fewer
// layers otherwise. Each measurement is a process of its own; copies and
// conversions are timed in turn, each until its bytes are on the disk. The
// files are removed again. Linux alone. Start at measure.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// layerBytes and otherBytes are what the transformer takes.
const (
	layerBytes = 4 * 50_358_272
	otherBytes = 4 * 131_600_000
	fullLayers = 27
)

func main() {
	octavo := flag.String("octavo", "./octavo", "the binary to measure")
	dir := flag.String("o", "", "folder for the files (default: a temporary one)")
	layers := flag.Int("layers", 0, "layers of the model; 0 is as many as fit, 27 at most")
	rounds := flag.Int("rounds", 3, "how often each is timed")
	algorithms := flag.Bool("algorithms", false, "the algorithms of mode weight-only, on a smaller transformer")
	flag.Parse()
	if *algorithms {
		if err := compare(*octavo, *dir, max(*rounds, 1)); err != nil {
			fmt.Fprintln(os.Stderr, "large:", err)
			os.Exit(1)
		}
		return
	}
	if err := measure(*octavo, *dir, *layers, max(*rounds, 1)); err != nil {
		fmt.Fprintln(os.Stderr, "large:", err)
		os.Exit(1)
	}
}

func measure(octavo, parent string, layers, rounds int) error {
	if parent != "" {
		if err := os.MkdirAll(parent, 0o755); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp(parent, "octavo-large-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if layers, err = fitting(dir, layers); err != nil {
		return err
	}
	made, err := start(exec.Command("go", "run", "./bench/models", "-o", dir, "-only", "transformer-large", "-layers", fmt.Sprint(layers)))
	if err != nil {
		return err
	}
	model := filepath.Join(dir, "transformer-large.onnx")
	n, err := bytesOf(model, model+".data")
	if err != nil {
		return err
	}
	fmt.Printf("%d layers, %.2f GB, written in %.0f s\n", layers, float64(n)/1e9, made.seconds)

	var inspects, plain, simple, copies []cost
	quantized := make([][]cost, len(modes))
	for range rounds {
		// Reading the files brings them into the page cache for all alike, as
		// far as they fit.
		if err := read(model, model+".data"); err != nil {
			return err
		}
		steps := []step{
			{&inspects, exec.Command(octavo, "inspect", model)},
			{&copies, exec.Command("sh", "-c", `mkdir "$2" && cp "$1" "$1.data" "$2" && sync "$2"/*`, "sh", model, filepath.Join(dir, "out"))},
			{&plain, exec.Command(octavo, "convert", model, filepath.Join(dir, "out", "plain.onnx"))},
			{&simple, exec.Command(octavo, "convert", model, filepath.Join(dir, "out", "simple.onnx"), "--simplify")},
		}
		for i, flags := range modes {
			args := append([]string{"quantize", model, "-o", filepath.Join(dir, "out", "small.onnx")}, flags...)
			steps = append(steps, step{&quantized[i], exec.Command(octavo, args...)})
		}
		for _, m := range steps {
			if m.costs != &inspects && m.costs != &copies {
				if err := os.Mkdir(filepath.Join(dir, "out"), 0o755); err != nil {
					return err
				}
			}
			c, err := start(m.cmd)
			if err != nil {
				return err
			}
			*m.costs = append(*m.costs, c)
			if err := os.RemoveAll(filepath.Join(dir, "out")); err != nil {
				return err
			}
		}
	}
	rows := []row{{"inspect", inspects}, {"copy", copies}, {"convert", plain}, {"convert --simplify", simple}}
	for i, flags := range modes {
		rows = append(rows, row{strings.Join(flags[1:], " "), quantized[i]})
	}
	show(rows)
	for _, row := range []row{{"convert", plain}, {"convert --simplify", simple}} {
		a, b := seconds(copies), seconds(row.costs)
		fmt.Printf("%s at %.2f times the speed of a copy (medians), %.2f at the least\n", row.name, a[rounds/2]/b[rounds/2], a[0]/b[0])
	}
	return nil
}

func show(rows []row) {
	const width = 52
	fmt.Printf("%-*s %8s %8s %12s %12s\n", width, "", "least s", "median s", "anonymous MB", "resident MB")
	for _, row := range rows {
		s := seconds(row.costs)
		fmt.Printf("%-*s %8.2f %8.2f %12.1f %12.1f\n", width, row.name, s[0], s[len(s)/2], peak(row.costs, func(c cost) int64 { return c.anonymous }), peak(row.costs, func(c cost) int64 { return c.resident }))
	}
}

// step is a command to be timed; row is what one took.
type (
	step struct {
		costs *[]cost
		cmd   *exec.Cmd
	}
	row struct {
		name  string
		costs []cost
	}
)

// modes are the quantizations that need no samples.
var modes = [][]string{
	{"--mode", "dynamic"},
	{"--mode", "weight-only", "--weights", "int8"},
	{"--mode", "weight-only", "--weights", "int4", "--granularity", "group:32"},
	{"--mode", "float16"},
}

// fitting returns how many layers the disk has room for, as asked at most: the
// model and a copy, with a fifth to spare, and the output of a process that is
// not finished.
func fitting(dir string, asked int) (int, error) {
	free, err := freeBytes(dir)
	if err != nil {
		return 0, err
	}
	fit := int((free/3 - otherBytes) / layerBytes)
	if asked == 0 {
		asked = min(fullLayers, fit)
	}
	if asked < 1 || asked > fit {
		return 0, fmt.Errorf("%s: %d MB are free, which is too little for %d layers; %d would fit", dir, free/1e6, max(asked, 1), max(fit, 0))
	}
	return asked, nil
}

func bytesOf(paths ...string) (n int64, err error) {
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return 0, err
		}
		n += info.Size()
	}
	return n, nil
}

func read(paths ...string) error {
	for _, p := range paths {
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, f)
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func seconds(costs []cost) []float64 {
	var out []float64
	for _, c := range costs {
		out = append(out, c.seconds)
	}
	slices.Sort(out)
	return out
}

func peak(costs []cost, of func(cost) int64) float64 {
	most := int64(0)
	for _, c := range costs {
		most = max(most, of(c))
	}
	return float64(most) / 1e6
}

// field reads a line such as "RssAnon:	    1234 kB" of a process's status.
func field(status, name string) int64 {
	_, rest, ok := strings.Cut(status, "\n"+name)
	if !ok {
		return 0
	}
	var kb int64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		return 0
	}
	return kb * 1024
}
