package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestReadTakesBenchmarksApart(t *testing.T) {
	const out = `goos: linux
goarch: amd64
pkg: example.org/octavo/internal/kernels/gemm
BenchmarkProducts/bytes/vnni/49x512x4608-2         	     120	    977000 ns/op	       118.3 GMAC/s	        61.5 %peak
BenchmarkPack/A_by_rows-2                          	     500	      2000.5 ns/op
PASS
ok  	example.org/octavo/internal/kernels/gemm	1.2s
pkg: example.org/octavo/internal/kernels/lut
BenchmarkApply/4-bit 	     500	      20 ns/op	 3 Gelements/s
`
	n := 0
	got, rest, err := read(strings.NewReader(out), func(result) { n++ })
	if err != nil {
		t.Fatal(err)
	}
	want := []result{
		{"gemm", "Products/bytes/vnni/49x512x4608", 977000, []metric{{118.3, "GMAC/s"}, {61.5, "%peak"}}},
		{"gemm", "Pack/A_by_rows", 2000.5, nil},
		{"lut", "Apply/4-bit", 20, []metric{{3, "Gelements/s"}}},
	}
	if !reflect.DeepEqual(got, want) || n != len(want) {
		t.Errorf("got %+v (%d seen), want %+v", got, n, want)
	}
	if len(rest) != 4 {
		t.Errorf("other lines: %q", rest)
	}
	if _, _, err := read(strings.NewReader("BenchmarkX 1 fast ns/op\n"), func(result) {}); err == nil {
		t.Error("a word was read as a number")
	}
	var b strings.Builder
	if err := table(&b, got); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "118.3 GMAC/s") || !strings.Contains(b.String(), "61.5 %peak") || strings.Contains(b.String(), "none of these") {
		t.Errorf("the table lacks a figure:\n%s", b.String())
	}
	b.Reset()
	if err := table(&b, want[1:]); err != nil || !strings.Contains(b.String(), "none of these") {
		t.Errorf("a table without a fraction of the peak does not say so:\n%s", b.String())
	}
}
