package house_test

import (
	"bytes"
	"go/format"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// generators is the table of what writes which files.
var generators = []struct {
	dir     string // of the files
	from    string // of the generator, below dir; what the files name as their maker
	command []string
	stdout  bool   // the file is what the command prints, formatted
	needs   string // a command without which the generator cannot run
	files   []string
}{
	{
		dir: "internal/kernels/gemm", from: "_asm", command: []string{"go", "run", ".", "OUT"},
		files: []string{"zacross_avx2_amd64.s", "zacross_avx512_amd64.s", "zbf16_amd64.s", "zbf16_amx_amd64.s", "zblocks_avx2_amd64.s", "zblocks_avx512_amd64.s", "zblocks_neon_arm64.s", "zbytes_amx_amd64.s", "zbytes_avx2_amd64.s", "zbytes_avxvnni_amd64.s", "zbytes_dotprod_arm64.s", "zbytes_i8mm_arm64.s", "zbytes_vnni_amd64.s", "zfloats_avx512_amd64.s", "zfloats_neon_arm64.s", "zlive_avx2_amd64.s", "zpanels_avx2_amd64.s", "zrows_avx512_amd64.s"},
	},
	{
		dir: "internal/kernels/kerneltest", from: "_asm", command: []string{"go", "run", ".", "OUT"},
		files: []string{"zpeak_amd64.s"},
	},
	{
		dir: "internal/cpu", from: "_asm", command: []string{"go", "run", ".", "OUT"},
		files: []string{"zpause_amd64.s", "zpause_arm64.s"},
	},
	{
		dir: "internal/kernels/eltwise", from: "_asm", command: []string{"go", "run", ".", "OUT"},
		files: []string{"zarith_avx2_amd64.s", "zarith_neon_arm64.s", "zbounds_avx2_amd64.s", "zbounds_avx512_amd64.s", "zfunctions_avx2_amd64.s", "zfunctions_avx512_amd64.s", "zfunctions_neon_arm64.s"},
	},
	{
		dir: "internal/kernels/convert", from: "_asm", command: []string{"go", "run", ".", "OUT"},
		files: []string{"zbinary_avx512_amd64.s", "zfixed_avx2_amd64.s", "zfixed_avx512_amd64.s", "zhalf_avx2_amd64.s", "zloops_neon_arm64.s", "zloss_avx2_amd64.s", "zquantize_avx2_amd64.s"},
	},
	{
		dir: "internal/kernels/dwconv", from: "_asm", command: []string{"go", "run", ".", "OUT"},
		files: []string{"zcolumns_vnni_amd64.s", "zlast_avx2_amd64.s", "zlast_avx512_amd64.s", "zlast_neon_arm64.s", "zlast_vnni_amd64.s"},
	},
	{
		dir: "internal/kernels/histogram", from: "_asm", command: []string{"go", "run", ".", "OUT"},
		files: []string{"zcount_avx2_amd64.s", "zcount_neon_arm64.s", "zpick_avx512_amd64.s"},
	},
	{
		dir: "internal/kernels/lut", from: "_asm", command: []string{"go", "run", ".", "OUT"},
		files: []string{"ztable_avx2_amd64.s", "ztable_neon_arm64.s", "ztable_vbmi_amd64.s"},
	},
	{
		dir: "internal/kernels/reduce", from: "_asm", command: []string{"go", "run", ".", "OUT"},
		files: []string{"zrows_avx2_amd64.s", "zrows_avx512_amd64.s", "zrows_neon_arm64.s", "zwindows_neon_arm64.s", "zwindows_avx2_amd64.s", "zwindows_avx512_amd64.s"},
	},
	{
		dir: "internal/kernels/fused", from: "_asm", command: []string{"go", "run", ".", "OUT"},
		files: []string{"zsoftmax_avx2_amd64.s", "zsoftmax_avx512_amd64.s", "zsoftmax_bf16_amd64.s", "ztail_avx2_amd64.s", "ztail_avx512_amd64.s", "ztail_neon_arm64.s"},
	},
	{
		dir: "internal/kernels/transpose", from: "_asm", command: []string{"go", "run", ".", "OUT"},
		files: []string{"zblocks_avx2_amd64.s", "zblocks_neon_arm64.s"},
	},
	{
		dir: "internal/kernels/eltwise", from: "_fit", command: []string{"python3", "fit.py"}, stdout: true, needs: "python3 -c 'import mpmath'",
		files: []string{"zcoefficients.go"},
	},
	{
		dir: "cmd/octavo", from: "_licences", command: []string{"go", "run", ".", "OUT"},
		// Only Windows links this module, so that a build elsewhere need not have it.
		needs: `test -d "$(go list -m -f '{{.Dir}}' github.com/inconshreveable/mousetrap)" && test -f "$(go env GOROOT)/LICENSE"`,
		files: []string{"licences.txt"},
	},
}

// TestGeneratedFilesAreFresh runs each generator and compares what it writes
// with what is committed.
func TestGeneratedFilesAreFresh(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the generators")
	}
	for _, g := range generators {
		t.Run(path.Base(g.dir), func(t *testing.T) {
			if g.needs != "" {
				if err := exec.Command("sh", "-c", g.needs).Run(); err != nil {
					t.Skipf("the generator needs what is not here: %s: %v", g.needs, err)
				}
			}
			out := t.TempDir()
			args := slices.Clone(g.command)
			if i := slices.Index(args, "OUT"); i >= 0 {
				args[i] = out
			}
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Dir = filepath.Join(root, g.dir, g.from)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v: %v\n%s", args, err, stderr.Bytes())
			}
			for _, name := range g.files {
				got := stdout.Bytes()
				var err error
				if g.stdout {
					got, err = format.Source(got)
				} else {
					got, err = os.ReadFile(filepath.Join(out, name))
				}
				if err != nil {
					t.Fatal(err)
				}
				committed, err := os.ReadFile(filepath.Join(root, g.dir, name))
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, committed) {
					t.Errorf("%s/%s is not what %s writes now: run make generate", g.dir, name, g.from)
				}
			}
			if written, err := os.ReadDir(out); err != nil || !g.stdout && len(written) != len(g.files) {
				t.Errorf("%s writes %d files, the table names %d (%v)", g.from, len(written), len(g.files), err)
			}
		})
	}
}

// TestGeneratedFilesHaveAGenerator finds generated files that no row of the
// table makes, and rows whose files do not say that they are generated. Names
// of generated files begin with z.
func TestGeneratedFilesHaveAGenerator(t *testing.T) {
	made := map[string]string{}
	for _, g := range generators {
		for _, f := range g.files {
			made[g.dir+"/"+f] = g.from
		}
	}
	for _, name := range tracked(t) {
		ext := path.Ext(name)
		if ext != ".go" && ext != ".s" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		by, from := generatedBy(b), made[name]
		switch {
		case by == "" && from != "":
			t.Errorf("%s is generated and does not say so in its first line", name)
		case by != "" && from == "":
			t.Errorf("%s says that it is generated by %s, and no row of generators makes it", name, by)
		case by != "" && !strings.HasPrefix(by, from):
			t.Errorf("%s says that it is generated by %s, the table says %s", name, by, from)
		case by != "" && !strings.HasPrefix(path.Base(name), "z"):
			t.Errorf("%s is generated: its name should begin with z", name)
		}
		if ext == ".s" && by == "" {
			t.Errorf("%s is assembly by hand: write a generator", name)
		}
	}
}
