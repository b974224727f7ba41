package house_test

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

// isaLevels are the columns of the table of kernels: the levels of
// internal/cpu, as it spells them. Generic is Go. The name of an assembly
// function ends in its level, or in the instructions that it asks for beyond.
var isaLevels = []string{"Generic", "AVX2", "AVXVNNI", "AVX512", "VNNI", "AMX", "NEON", "DotProd", "I8MM"}

// beyond are instructions that belong to no level, with the level that has to
// be allowed for them.
var beyond = map[string]string{"VBMI": "AVX512", "BF16": "AVX512"}

// noKernel says why a family has no kernel for a level; "*" is any family
// without a row of its own. A row that says nothing true any more is an error.
var noKernel = []struct{ family, level, why string }{
	{"conv", "*", "it gathers rows for gemm and has no arithmetic of its own"},
	{"lut", "*", "one look-up a byte: what runs is the level's below, or Go's loop"},
	{"reduce", "*", "sixteen lanes in logical order: what runs is the level's below, or Go's loop"},
	{"convert", "VNNI", "no products of bytes"},
	{"eltwise", "VNNI", "no products of bytes"},
	{"fused", "VNNI", "no products of bytes"},
	{"histogram", "VNNI", "no products of bytes"},
	{"transpose", "AVX512", "AVX2's kernels run"},
	{"transpose", "VNNI", "no products of bytes"},
	{"*", "AVXVNNI", "AVX2's kernels run, or Go's"},
	{"*", "AMX", "kernels of the levels below run"},
	{"*", "DotProd", "NEON's kernels run, or Go's"},
	{"*", "I8MM", "NEON's kernels run, or Go's"},
}

// family is a folder of internal/kernels: the names of its assembly functions
// by level, the levels of its table of variants, and those of all tables that
// its tests run, whose names end in variants.
type family struct {
	name           string
	kernels        map[string][]string
	listed, tested []string
}

func kernelFamilies(t *testing.T) []*family {
	var out []*family
	for _, s := range sources(t) {
		dir, name := path.Split(s.path)
		if path.Dir(path.Clean(dir)) != "internal/kernels" || name == "" || isTestHelper(s.dir()) || strings.HasPrefix(path.Base(s.dir()), "_") {
			continue
		}
		i := slices.IndexFunc(out, func(f *family) bool { return f.name == path.Base(s.dir()) })
		if i < 0 {
			i = len(out)
			out = append(out, &family{name: path.Base(s.dir()), kernels: map[string][]string{}})
		}
		for _, d := range s.file.Decls {
			out[i].see(d, s.test())
		}
	}
	return out
}

// see takes note of a declaration without a body, which is assembly, and of
// tables of variants.
func (f *family) see(d ast.Decl, byTest bool) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Body == nil {
			name, level := kernelLevel(d.Name.Name)
			f.kernels[level] = append(f.kernels[level], name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && strings.HasSuffix(strings.ToLower(v.Names[0].Name), "variants") {
				levels := levelsIn(v)
				f.tested = append(f.tested, levels...)
				if !byTest {
					f.listed = append(f.listed, levels...)
				}
			}
		}
	}
}

// kernelLevel takes the name of an assembly function apart; the level is ""
// where the name tells none.
func kernelLevel(name string) (base, level string) {
	for _, l := range isaLevels[1:] {
		if base, ok := strings.CutSuffix(name, l); ok {
			return base, l
		}
	}
	for suffix, l := range beyond {
		if strings.HasSuffix(name, suffix) {
			return name, l
		}
	}
	return name, ""
}

// levelsIn returns the levels of internal/cpu that n names.
func levelsIn(n ast.Node) (out []string) {
	ast.Inspect(n, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "cpu" && sel.Sel.Name != "Level" {
				out = append(out, sel.Sel.Name)
			}
		}
		return true
	})
	return out
}

// TestKernelTable prints which family has kernels for which instruction set,
// and why there is none where there is none. What has a kernel must be a row of
// a table of variants that the family's tests run.
func TestKernelTable(t *testing.T) {
	families := kernelFamilies(t)
	if len(families) < 5 {
		t.Fatalf("%d families were found", len(families))
	}
	used := make([]bool, len(noKernel))
	var table, names, why strings.Builder
	tw := tabwriter.NewWriter(&table, 2, 8, 2, ' ', 0)
	fmt.Fprint(tw, "family")
	for _, l := range isaLevels {
		fmt.Fprint(tw, "\t", l)
	}
	fmt.Fprintln(tw)
	for _, f := range families {
		for _, k := range f.kernels[""] {
			t.Errorf("%s: assembly function %s: its name ends in no level", f.name, k)
		}
		fmt.Fprint(tw, f.name, "\tGo")
		for _, l := range isaLevels[1:] {
			n := len(f.kernels[l])
			if n > 0 && !slices.Contains(f.tested, l) {
				t.Errorf("%s: no table of variants has a row for %s, which has kernels: %s", f.name, l, strings.Join(f.kernels[l], ", "))
			}
			if n == 0 && slices.Contains(f.listed, l) {
				t.Errorf("%s: the table of variants has a row for %s, which has no kernel", f.name, l)
			}
			if n > 0 {
				fmt.Fprint(tw, "\t", n)
				fmt.Fprintf(&names, "%s, %s: %s\n", f.name, l, strings.Join(f.kernels[l], ", "))
				continue
			}
			fmt.Fprint(tw, "\t-")
			i := slices.IndexFunc(noKernel, func(r struct{ family, level, why string }) bool {
				return (r.family == f.name || r.family == "*") && (r.level == l || r.level == "*")
			})
			if i < 0 {
				t.Errorf("%s has no kernel for %s: give the reason a row in noKernel, or write one", f.name, l)
				continue
			}
			used[i] = true
			fmt.Fprintf(&why, "%s, %s: %s\n", f.name, l, noKernel[i].why)
		}
		fmt.Fprintln(tw)
	}
	tw.Flush()
	t.Logf("assembly functions by family and level:\n%s\n%s\nempty cells:\n%s", table.String(), names.String(), why.String())
	for i, r := range noKernel {
		if !used[i] {
			t.Errorf("noKernel: %s, %s: no cell is empty for this reason", r.family, r.level)
		}
	}
}
