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
// internal/cpu, as it spells them, with what ends the names of their assembly
// functions. Generic is Go.
var isaLevels = []struct{ level, suffix string }{
	{"Generic", ""}, {"AVX2", "AVX2"}, {"AVX512", "AVX512"}, {"VNNI", "VNNI"}, {"AMX", "AMX"},
	{"NEON", "NEON"}, {"DotProd", "DotProd"}, {"I8MM", "I8MM"},
}

// noKernel says why a family has no kernel for a level; "*" is any family
// without a row of its own. A row that says nothing true any more is an error.
var noKernel = []struct{ family, level, why string }{
	{"conv", "*", "it gathers rows for gemm and has no arithmetic of its own"},
	{"lut", "*", "one look-up a byte: Go's loop is what there is"},
	{"reduce", "*", "sixteen lanes in logical order: Go's loop is what there is"},
	{"convert", "AVX512", "AVX2's kernels run"},
	{"convert", "VNNI", "no products of bytes"},
	{"convert", "NEON", "Go's loops run"},
	{"dwconv", "AVX512", "AVX2's kernel runs"},
	{"dwconv", "VNNI", "integers run in Go"},
	{"eltwise", "AVX2", "the functions need AVX-512's masks and eight doubles; Go's run"},
	{"eltwise", "VNNI", "no products of bytes"},
	{"eltwise", "NEON", "Go's loops run"},
	{"*", "AMX", "kernels of the levels below run"},
	{"*", "DotProd", "NEON's kernels run, or Go's"},
	{"*", "I8MM", "NEON's kernels run, or Go's"},
}

// family is a folder of internal/kernels: the names of its assembly functions
// by level, and the levels of its table of variants, which its tests and
// benchmarks run.
type family struct {
	name    string
	kernels map[string][]string
	tested  []string
}

func kernelFamilies(t *testing.T) []*family {
	var out []*family
	for _, s := range sources(t) {
		dir, name := path.Split(s.path)
		if path.Dir(path.Clean(dir)) != "internal/kernels" || name == "" || s.test() || isTestHelper(s.dir()) {
			continue
		}
		i := slices.IndexFunc(out, func(f *family) bool { return f.name == path.Base(s.dir()) })
		if i < 0 {
			i = len(out)
			out = append(out, &family{name: path.Base(s.dir()), kernels: map[string][]string{}})
		}
		for _, d := range s.file.Decls {
			out[i].see(d)
		}
	}
	return out
}

// see takes note of a declaration without a body, which is assembly, and of the
// table of variants.
func (f *family) see(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Body != nil {
			return
		}
		name, level := d.Name.Name, "unknown"
		for _, l := range isaLevels[1:] {
			if base, ok := strings.CutSuffix(name, l.suffix); ok {
				name, level = base, l.level
			}
		}
		f.kernels[level] = append(f.kernels[level], name)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			v, ok := spec.(*ast.ValueSpec)
			if !ok || v.Names[0].Name != "variants" {
				continue
			}
			ast.Inspect(v, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := sel.X.(*ast.Ident); ok && x.Name == "cpu" && !slices.Contains(f.tested, sel.Sel.Name) {
						f.tested = append(f.tested, sel.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

// TestKernelTable prints which family has kernels for which instruction set,
// and why there is none where there is none. What has a kernel must be a row of
// the family's table of variants, and the other way round: so every kernel is
// tested and measured.
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
		fmt.Fprint(tw, "\t", l.level)
	}
	fmt.Fprintln(tw)
	for _, f := range families {
		for _, k := range f.kernels["unknown"] {
			t.Errorf("%s: assembly function %s: its name ends in no level", f.name, k)
		}
		fmt.Fprint(tw, f.name, "\tGo")
		for _, l := range isaLevels[1:] {
			n := len(f.kernels[l.level])
			if tested := slices.Contains(f.tested, l.level); tested != (n > 0) {
				t.Errorf("%s: %d kernels of level %s (%s), but in the table of variants: %v", f.name, n, l.level, strings.Join(f.kernels[l.level], ", "), tested)
			}
			if n > 0 {
				fmt.Fprint(tw, "\t", n)
				fmt.Fprintf(&names, "%s, %s: %s\n", f.name, l.level, strings.Join(f.kernels[l.level], ", "))
				continue
			}
			fmt.Fprint(tw, "\t-")
			i := slices.IndexFunc(noKernel, func(r struct{ family, level, why string }) bool {
				return (r.family == f.name || r.family == "*") && (r.level == l.level || r.level == "*")
			})
			if i < 0 {
				t.Errorf("%s has no kernel for %s: give the reason a row in noKernel, or write one", f.name, l.level)
				continue
			}
			used[i] = true
			fmt.Fprintf(&why, "%s, %s: %s\n", f.name, l.level, noKernel[i].why)
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
