// Command peers is octavo's side of the comparison with other engines: it runs
// models when it is told to, so that peers.py can let the engines take turns.
//
// It reads one JSON request a line and answers each with one line: load a
// model, run it, drop it. Between requests it does nothing. peers.py says how
// it is used; start at serve.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/cpu"
)

// request is what a line asks for.
type request struct {
	Do   string // load, run or drop
	Name string
	// of load
	Path    string
	Threads int
	Dims    []string // SYMBOL=NUMBER
	BF16    bool     // products in bfloat16
	Arrays  string   // folder for the inputs and what the first run makes of them
	// of run
	Runs    int     // the least number
	Seconds float64 // the least time
}

// answer is what a line says. Files are .npy.
type answer struct {
	Error   string            `json:"error,omitempty"`
	ISA     string            `json:"isa,omitempty"`
	Inputs  map[string]string `json:"inputs,omitempty"`
	Outputs map[string]string `json:"outputs,omitempty"`
	Times   []int64           `json:"times_ns,omitempty"`
}

type loaded struct {
	model   *octavo.Model
	program *octavo.Program
	inputs  octavo.Inputs
	threads int
}

func main() {
	debug.SetGCPercent(25) // as the command does
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func serve(r io.Reader, w io.Writer) error {
	models := map[string]*loaded{}
	out := json.NewEncoder(w)
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var q request
		err := json.Unmarshal(lines.Bytes(), &q)
		a := answer{}
		if err == nil {
			a, err = handle(models, q)
		}
		if err != nil {
			a.Error = err.Error()
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	return lines.Err()
}

func handle(models map[string]*loaded, q request) (answer, error) {
	l := models[q.Name]
	switch {
	case q.Do == "load" && l == nil:
		l, a, err := load(q)
		if err == nil {
			models[q.Name] = l
		}
		return a, err
	case l == nil:
		return answer{}, fmt.Errorf("%s: no model is called %q", q.Do, q.Name)
	case q.Do == "run":
		times, err := l.run(q.Runs, q.Seconds)
		return answer{Times: times}, err
	case q.Do == "drop":
		delete(models, q.Name)
		err := l.model.Close()
		debug.FreeOSMemory()
		return answer{}, err
	}
	return answer{}, fmt.Errorf("%s %q: the requests are load, run and drop, and names differ", q.Do, q.Name)
}

func load(q request) (*loaded, answer, error) {
	m, err := octavo.Load(q.Path)
	if err != nil {
		return nil, answer{}, err
	}
	l := &loaded{model: m, threads: q.Threads}
	a, err := l.prepare(q)
	if err != nil {
		m.Close()
	}
	return l, a, err
}

// prepare compiles the model, draws its inputs and runs it once.
func (l *loaded) prepare(q request) (answer, error) {
	a := answer{ISA: cpu.Current().String()}
	if err := l.model.Fix(nil, q.Dims); err != nil {
		return a, err
	}
	samples, err := l.model.RandomSamples(1, 1)
	if err != nil {
		return a, err
	}
	for in := range samples {
		l.inputs = in
	}
	options := []octavo.CompileOption{octavo.Threads(q.Threads)}
	if q.BF16 {
		options = append(options, octavo.BFloat16Arithmetic())
	}
	if l.program, err = l.model.Compile(options...); err != nil {
		return a, err
	}
	outputs, err := l.program.Run(context.Background(), l.inputs)
	if err != nil {
		return a, err
	}
	if a.Inputs, err = write(filepath.Join(q.Arrays, "in"), l.inputs); err != nil {
		return a, err
	}
	a.Outputs, err = write(filepath.Join(q.Arrays, "out"), outputs)
	return a, err
}

// write writes arrays to numbered files and returns their names.
func write(dir string, arrays octavo.Inputs) (map[string]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	files := map[string]string{}
	for name, t := range arrays {
		path := filepath.Join(dir, fmt.Sprintf("%d.npy", len(files)))
		f, err := os.Create(path)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(octavo.WriteArray(f, t), f.Close()); err != nil {
			return nil, err
		}
		files[name] = path
	}
	return files, nil
}

// run runs the model once to warm up, and then at least so often and so long,
// into the same outputs, as the peers do.
// The whole process, the collector included, gets no more processors than the
// model has threads.
func (l *loaded) run(runs int, seconds float64) ([]int64, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(l.threads))
	ctx := context.Background()
	out, err := l.program.Run(ctx, l.inputs)
	if err != nil {
		return nil, err
	}
	var times []int64
	for start := time.Now(); len(times) < runs || time.Since(start).Seconds() < seconds; {
		began := time.Now()
		if err := l.program.RunInto(ctx, l.inputs, out); err != nil {
			return nil, err
		}
		times = append(times, time.Since(began).Nanoseconds())
	}
	return times, nil
}
