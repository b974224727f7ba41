package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/octavo-ml/octavo/internal/wire/npy"
)

// npy OUT f4|f8|i8|i1|u1 SHAPE FILL writes an array. SHAPE is 8,4 or - for none;
// FILL is a number, ramp (0, 1/16 ... 1 repeated), grow (0 ... 1 once) or mod:K
// (0 ... K-1 repeated), and then maybe ,INDEX=NUMBER for one element.
func makeArray(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: npy OUT TYPE SHAPE FILL")
	}
	var shape []int
	n := 1
	if args[2] != "-" {
		for s := range strings.SplitSeq(args[2], ",") {
			d, err := strconv.Atoi(s)
			ts.Check(err)
			shape = append(shape, d)
			n *= d
		}
	}
	values, err := fill(args[3], n)
	ts.Check(err)
	data, err := encode(args[1], values)
	ts.Check(err)
	order := "<"
	if args[1] == "u1" || args[1] == "i1" {
		order = "|"
	}
	var b bytes.Buffer
	ts.Check(npy.Write(&b, order+args[1], shape, data))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o644))
}

func fill(rule string, n int) ([]float64, error) {
	rule, poke, poked := strings.Cut(rule, ",")
	values := make([]float64, n)
	k, err := strconv.Atoi(strings.TrimPrefix(rule, "mod:"))
	mod := err == nil && strings.HasPrefix(rule, "mod:")
	for i := range values {
		switch {
		case rule == "ramp":
			values[i] = float64(i%17) / 16
		case rule == "grow":
			values[i] = float64(i) / float64(n)
		case mod:
			values[i] = float64(i % k)
		default:
			if values[i], err = strconv.ParseFloat(rule, 64); err != nil {
				return nil, err
			}
		}
	}
	if poked {
		at, value, _ := strings.Cut(poke, "=")
		i, err := strconv.Atoi(at)
		if err != nil {
			return nil, err
		}
		if values[i], err = strconv.ParseFloat(value, 64); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func encode(typ string, values []float64) ([]byte, error) {
	var b []byte
	for _, v := range values {
		switch typ {
		case "f4":
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
		case "f8":
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		case "i8":
			b = binary.LittleEndian.AppendUint64(b, uint64(int64(v)))
		case "i1":
			b = append(b, uint8(int8(v)))
		case "u1":
			b = append(b, uint8(v))
		default:
			return nil, fmt.Errorf("type %q is not f4, f8, i8, i1 or u1", typ)
		}
	}
	return b, nil
}

// npz OUT NAME=FILE.npy... packs arrays into an archive.
func makeArchive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: npz OUT NAME=FILE.npy...")
	}
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	z := zip.NewWriter(f)
	for _, a := range args[1:] {
		name, file, _ := strings.Cut(a, "=")
		b, err := os.ReadFile(ts.MkAbs(file))
		ts.Check(err)
		w, err := z.Create(name + ".npy")
		ts.Check(err)
		_, err = w.Write(b)
		ts.Check(err)
	}
	ts.Check(z.Close())
}
