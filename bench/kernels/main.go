// Command kernels runs the benchmarks of the kernel families and prints one
// table: a row for each shape and variant, with its rate and, where the
// benchmark tells it, the fraction of what the processor's multiply-adds reach
// in a loop over registers in the same run.
//
//	go run ./bench/kernels [-family gemm,conv] [-bench REGEXP] [-benchtime 100ms]
//
// The benchmarks are those of the families' tests: a variant that is a row of a
// family's table is measured. Start at read.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// result is one line of go test -bench.
type result struct {
	family, name string
	nanoseconds  float64
	metrics      []metric
}

type metric struct {
	value float64
	unit  string
}

func main() {
	families := flag.String("family", "", "folders of internal/kernels, with commas between; empty is all")
	bench := flag.String("bench", ".", "regular expression of benchmarks")
	benchtime := flag.String("benchtime", "100ms", "how long each one runs")
	flag.Parse()
	if err := run(*families, *bench, *benchtime); err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		os.Exit(1)
	}
}

func run(families, bench, benchtime string) error {
	packages := []string{"./internal/kernels/..."}
	if families != "" {
		packages = nil
		for f := range strings.SplitSeq(families, ",") {
			packages = append(packages, "./internal/kernels/"+f)
		}
	}
	// One package at a time: benchmarks side by side would slow each other.
	cmd := exec.Command("go", append([]string{"test", "-p", "1", "-run", "^$", "-bench", bench, "-benchtime", benchtime}, packages...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	results, head, readErr := read(out, func(r result) { fmt.Fprintf(os.Stderr, "%s: %s\n", r.family, r.name) })
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("go test: %w\n%s", err, strings.Join(head, "\n"))
	}
	if readErr != nil {
		return readErr
	}
	if len(results) == 0 {
		return fmt.Errorf("no benchmark matches %q", bench)
	}
	return table(os.Stdout, results)
}

// read takes the output of go test -bench apart: the results, and the lines
// that are none. seen is called for each result.
func read(r io.Reader, seen func(result)) (results []result, rest []string, err error) {
	family := ""
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if pkg, ok := strings.CutPrefix(line, "pkg: "); ok {
			family = path.Base(pkg)
			continue
		}
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") || len(f)%2 != 0 {
			rest = append(rest, line)
			continue
		}
		res := result{family: family, name: withoutThreads(strings.TrimPrefix(f[0], "Benchmark"))}
		for i := 2; i < len(f); i += 2 {
			v, err := strconv.ParseFloat(f[i], 64)
			if err != nil {
				return nil, nil, fmt.Errorf("benchmark %s: %q is no number", f[0], f[i])
			}
			if f[i+1] == "ns/op" {
				res.nanoseconds = v
			} else {
				res.metrics = append(res.metrics, metric{v, f[i+1]})
			}
		}
		seen(res)
		results = append(results, res)
	}
	return results, rest, lines.Err()
}

// withoutThreads cuts the number of processors off, which go test puts behind a
// benchmark's name.
func withoutThreads(name string) string {
	i := strings.LastIndexByte(name, '-')
	if i < 0 {
		return name
	}
	if _, err := strconv.Atoi(name[i+1:]); err != nil {
		return name
	}
	return name[:i]
}

// fraction reports whether a metric is a share of the peak.
func (m metric) fraction() bool { return strings.Contains(m.unit, "peak") }

func (m metric) String() string {
	if m.fraction() {
		return strconv.FormatFloat(m.value, 'f', 1, 64) + " " + m.unit
	}
	return strconv.FormatFloat(m.value, 'g', 4, 64) + " " + m.unit
}

// table writes the results, the fraction of the peak last.
func table(w io.Writer, results []result) error {
	tw := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "family\tbenchmark\tmicroseconds\trate\tof the peak")
	for _, r := range results {
		var rates, peaks []string
		for _, m := range r.metrics {
			if m.fraction() {
				peaks = append(peaks, m.String())
			} else {
				rates = append(rates, m.String())
			}
		}
		microseconds := strconv.FormatFloat(r.nanoseconds/1e3, 'f', 2, 64)
		if len(peaks) > 0 {
			microseconds = "" // the loop over registers is in it
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", r.family, r.name, microseconds, strings.Join(rates, ", "), strings.Join(peaks, ", "))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if !slices.ContainsFunc(results, func(r result) bool { return slices.ContainsFunc(r.metrics, metric.fraction) }) {
		_, err := fmt.Fprintln(w, "none of these benchmarks tells a fraction of the peak")
		return err
	}
	return nil
}
