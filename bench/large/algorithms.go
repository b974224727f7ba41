package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// algorithms are those of mode weight-only, with what those need that look at
// activations.
var algorithms = []struct {
	name  string
	flags []string
}{
	{"rtn", nil},
	{"mse-clip", nil},
	{"hqq", nil},
	{"gptq", samples},
	{"awq", samples},
}

var samples = []string{"--data", "random", "--samples", "4", "--dim", "batch=1"}

// compare measures the algorithms on int4 by groups of 32.
func compare(octavo, parent string, rounds int) error {
	dir, err := os.MkdirTemp(parent, "octavo-algorithms-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	generate := exec.Command("go", "run", "./bench/models", "-o", dir, "-only", "transformer-large", "-layers", "6", "-width", "768", "-vocabulary", "32000")
	generate.Stderr = os.Stderr
	if err := generate.Run(); err != nil {
		return fmt.Errorf("%v: %w", generate.Args, err)
	}
	model := filepath.Join(dir, "transformer-large.onnx")
	var rows []row
	for _, a := range algorithms {
		var costs []cost
		for range rounds {
			if err := read(model, model+".data"); err != nil {
				return err
			}
			out := filepath.Join(dir, "small.onnx")
			args := []string{"quantize", model, "-o", out, "--mode", "weight-only", "--weights", "int4", "--granularity", "group:32", "--algorithm", a.name}
			c, err := start(exec.Command(octavo, slices.Concat(args, a.flags)...))
			if err != nil {
				return err
			}
			costs = append(costs, c)
		}
		rows = append(rows, row{a.name, costs})
	}
	show(rows)
	return nil
}
