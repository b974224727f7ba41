package house_test

import (
	"fmt"
	"go/ast"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// operatorDefaults returns, for each operator's struct, the fields whose
// attribute has a default that is not the zero value.
func operatorDefaults(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, s := range sources(t) {
		if s.dir() != "internal/op" || s.test() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			st, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range st.Fields.List {
				if f.Tag == nil {
					continue
				}
				tag, err := strconv.Unquote(f.Tag.Value)
				if err != nil {
					t.Fatal(err)
				}
				_, def, ok := strings.Cut(reflect.StructTag(tag).Get("attr"), ",default=")
				if !ok || def == "" || def == "0" || def == "false" {
					continue
				}
				for _, name := range f.Names {
					out[spec.Name.Name] = append(out[spec.Name.Name], name.Name)
				}
			}
			return true
		})
	}
	return out
}

// skippedDefaults finds literals of operators, and new(op.X), that leave a
// field at zero whose default is another value.
func skippedDefaults(s source, defaults map[string][]string) []string {
	var local string
	for _, imp := range s.file.Imports {
		if p, _ := strconv.Unquote(imp.Path.Value); p == module+"/internal/op" {
			local = "op"
			if imp.Name != nil {
				local = imp.Name.Name
			}
		}
	}
	if local == "" {
		return nil
	}
	operator := func(e ast.Expr) string {
		sel, ok := e.(*ast.SelectorExpr)
		if !ok {
			return ""
		}
		if x, ok := sel.X.(*ast.Ident); !ok || x.Name != local {
			return ""
		}
		return sel.Sel.Name
	}
	var found []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		var name string
		var set []string
		switch n := n.(type) {
		case *ast.CompositeLit:
			name = operator(n.Type)
			for _, e := range n.Elts {
				kv, ok := e.(*ast.KeyValueExpr)
				if !ok {
					return true // without keys every field is given
				}
				if id, ok := kv.Key.(*ast.Ident); ok {
					set = append(set, id.Name)
				}
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "new" && len(n.Args) == 1 {
				name = operator(n.Args[0])
			}
		}
		for _, f := range defaults[name] {
			if !slices.Contains(set, f) {
				found = append(found, fmt.Sprintf("%s:%d: op.%s without %s, whose default is not zero: use op.New[op.%s]()", s.path, s.line(n), name, f, name))
			}
		}
		return true
	})
	return found
}

// TestOperatorsAreMadeWithDefaults keeps operators from being made with
// attributes at Go's zero where ONNX's default is another value.
func TestOperatorsAreMadeWithDefaults(t *testing.T) {
	defaults := operatorDefaults(t)
	if !slices.Contains(defaults["Conv"], "Group") {
		t.Fatalf("the defaults of Conv were not found: %v", defaults["Conv"])
	}
	for _, s := range sources(t) {
		if s.dir() == "internal/op" {
			continue // its own tests try what New never makes
		}
		for _, f := range skippedDefaults(s, defaults) {
			t.Error(f)
		}
	}
}

func TestSkippedDefaultsAreFound(t *testing.T) {
	defaults := map[string][]string{"Conv": {"Group"}}
	for _, c := range []struct {
		code string
		want int
	}{
		{`&op.Conv{}`, 1},
		{`op.Conv{Strides: []int{1}}`, 1},
		{`new(op.Conv)`, 1},
		{`op.Conv{Group: 2}`, 0},
		{`op.Relu{}`, 0},
		{`op.New[op.Conv]()`, 0},
		{`other.Conv{}`, 0},
	} {
		s := parseSource(t, "package p\nimport \""+module+"/internal/op\"\nvar x = "+c.code+"\n")
		if got := skippedDefaults(s, defaults); len(got) != c.want {
			t.Errorf("%s: found %v, want %d", c.code, got, c.want)
		}
	}
}
