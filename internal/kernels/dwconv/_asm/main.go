// Command _asm writes the assembly of package dwconv for AVX2, AVX-512,
// VNNI and NEON into the folder given as its argument.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . FOLDER")
		os.Exit(2)
	}
	for name, text := range map[string]string{
		"zlast_avx2_amd64.s": lastAVX2(), "zlast_avx512_amd64.s": lastAVX512(), "zlast_vnni_amd64.s": lastVNNI(),
		"zlast_neon_arm64.s": lastNEON(), "zcolumns_vnni_amd64.s": columnsVNNI(),
	} {
		if err := os.WriteFile(filepath.Join(os.Args[1], name), []byte(text), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// file is an assembly file that grows line by line.
type file struct{ strings.Builder }

func (f *file) line(format string, args ...any) { fmt.Fprintf(f, "\t"+format+"\n", args...) }

func (f *file) label(name string) { fmt.Fprintf(f, "\n%s:\n", name) }
