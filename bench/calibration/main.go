// Command calibration measures what calibrating a model costs beside running it:
// the time of a sample over that of one run of the float model in this engine.
//
//	go run ./bench/calibration -model resnet50.onnx -data images-128.npz [-rounds 3]
//
// In each round the model is quantized over all samples between two halves of
// float runs on the first ones; both give a mean. Printed are the minimum and
// the median over rounds, and of ratios that of the minima and the median of
// the rounds' own. Start at measure.
package main

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/octavo-ml/octavo"
)

// cost is what one round took, in seconds: of a float run, of a sample while
// samples run, and of a sample's share in all that Quantize does.
type cost struct{ run, sample, whole float64 }

func main() {
	model := flag.String("model", "", "float model")
	data := flag.String("data", "", "samples")
	rounds := flag.Int("rounds", 3, "how often each is timed")
	observers := flag.String("observers", "mse,auto", "range methods")
	threads := flag.String("threads", "1,2", "numbers of threads")
	flag.Parse()
	if err := run(*model, *data, *rounds, strings.Split(*observers, ","), strings.Split(*threads, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "calibration:", err)
		os.Exit(1)
	}
}

func run(model, data string, rounds int, observers, threads []string) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(25) // as the command does
	}
	m, err := octavo.Load(model)
	if err != nil {
		return err
	}
	defer m.Close()
	d, err := m.OpenData(octavo.DataOptions{Paths: []string{data}, Threads: 1})
	if err != nil {
		return err
	}
	defer d.Close()
	fmt.Println("ms, minimum and median: a float run, a calibrated sample, their ratio; the same with weights and trials")
	for _, t := range threads {
		n, err := strconv.Atoi(t)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of threads", t)
		}
		runtime.GOMAXPROCS(n)
		for _, observer := range observers {
			var costs []cost
			samples := 0
			for range max(rounds, 1) {
				var c cost
				if c, samples, err = measure(m, d.Samples(0), observer, n); err != nil {
					return err
				}
				costs = append(costs, c)
			}
			fmt.Printf("%d threads, %-4s, %d samples: %s\n", n, observer, samples, summary(costs))
		}
	}
	return nil
}

// measure times one round.
func measure(m *octavo.Model, samples iter.Seq2[octavo.Inputs, error], observer string, threads int) (c cost, n int, err error) {
	const runs = 16 // a half
	before, err := floats(m, samples, runs, threads)
	if err != nil {
		return c, 0, err
	}
	recipe := octavo.Recipe{Mode: octavo.Static}
	recipe.Activations.Observer = observer
	var asked, done time.Time
	watched := func(yield func(octavo.Inputs, error) bool) {
		asked = time.Now()
		samples(yield)
	}
	start := time.Now()
	if _, err := octavo.Quantize(context.Background(), m, recipe, octavo.WithCalibration(watched), octavo.WithThreads(threads),
		octavo.WithProgress(func(k int) { n, done = k, time.Now() })); err != nil {
		return c, 0, err
	}
	whole := time.Since(start)
	after, err := floats(m, samples, runs, threads)
	return cost{(before + after).Seconds() / (2 * runs), done.Sub(asked).Seconds() / float64(n), whole.Seconds() / float64(n)}, n, err
}

// floats times warm runs of the float model, over the samples in turn.
func floats(m *octavo.Model, samples iter.Seq2[octavo.Inputs, error], runs, threads int) (time.Duration, error) {
	p, err := m.Compile(octavo.Threads(threads))
	if err != nil {
		return 0, err
	}
	var in []octavo.Inputs
	for s, err := range samples {
		if err != nil {
			return 0, err
		}
		if in = append(in, s); len(in) == runs {
			break
		}
	}
	if len(in) == 0 {
		return 0, fmt.Errorf("%s: there are no samples", m.Path)
	}
	var total time.Duration
	for i := -2; i < runs; i++ {
		start := time.Now()
		if _, err := p.Run(context.Background(), in[max(i, 0)%len(in)]); err != nil {
			return 0, err
		}
		if i >= 0 {
			total += time.Since(start)
		}
	}
	return total, nil
}

func summary(costs []cost) string {
	run, sample, whole := []float64{}, []float64{}, []float64{}
	var ratios, inAll []float64
	for _, c := range costs {
		run, sample, whole = append(run, 1e3*c.run), append(sample, 1e3*c.sample), append(whole, 1e3*c.whole)
		ratios, inAll = append(ratios, c.sample/c.run), append(inAll, c.whole/c.run)
	}
	for _, v := range [][]float64{run, sample, whole, ratios, inAll} {
		slices.Sort(v)
	}
	median := func(v []float64) float64 { return (v[(len(v)-1)/2] + v[len(v)/2]) / 2 }
	return fmt.Sprintf("run %.1f %.1f, sample %.1f %.1f, ratio %.2f %.2f; in all %.1f %.1f, ratio %.2f %.2f",
		run[0], median(run), sample[0], median(sample), sample[0]/run[0], median(ratios), whole[0], median(whole), whole[0]/run[0], median(inAll))
}
