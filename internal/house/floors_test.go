package house_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/octavo-ml/octavo"

// floors says on which floor a package stands. It imports only what stands on
// lower floors, and what is in its own room: the folder named here.
var floors = []struct {
	room  string
	floor int
	why   string
}{
	{"internal/dtype", 0, "element types know nothing"},
	{"internal/cpu", 0, "feature bits know no kernel"},
	{"internal/diag", 0, "errors are for everybody"},
	{"internal/atomicfile", 0, "writing files knows no format"},
	{"internal/exact", 0, "exact arithmetic sees numbers alone"},
	{"internal/wire", 0, "byte readers know no model"},
	{"internal/kernels", 1, "kernels see slices, no tensor"},
	{"internal/tensor", 1, "tensors know no operator"},
	{"internal/affine", 2, "the arithmetic of quantization sees no graph"},
	{"internal/metric", 2, "measures see numbers"},
	{"internal/dataset", 2, "samples know no model, only a Spec"},
	{"internal/op", 3, "operators see no graph"},
	{"internal/ir", 4, "graphs know no file format and no policy"},
	{"internal/target", 5, "targets are data"},
	{"internal/format", 5, "doors run no passes"},
	{"internal/pass", 5, "passes know no scale and no format"},
	{"internal/runtime", 6, "the runtime knows no quantization policy"},
	{"internal/quant", 7, "the conductor stands above what it conducts"},
	{"internal/validate", 8, "judging needs programs, not how they were made"},
	{"testdata", 0, "embedded files"},
	{"bench", 11, "generators of files stand alone"},
	{"", 10, "the façade sees everything below"},
	{"cmd", 11, "commands hold no logic"},
	{"interop", 11, "tests against peers use the façade"},
	{"internal/house", 12, "tests of the house read it from outside"},
}

func roomOf(path string) (room string, floor int, ok bool) {
	rel := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	for _, f := range floors {
		if rel == f.room || f.room != "" && strings.HasPrefix(rel, f.room+"/") {
			return f.room, f.floor, true
		}
	}
	return "", 0, false
}

type goPackage struct {
	ImportPath   string
	Dir          string
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var pkgs []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); err == io.EOF {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func TestFloors(t *testing.T) {
	for _, p := range packages(t) {
		room, floor, ok := roomOf(p.ImportPath)
		if !ok {
			t.Errorf("%s stands on no floor: add it to floors, with the reason", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			if !strings.HasPrefix(imp, module) {
				continue
			}
			other, below, ok := roomOf(imp)
			if !ok {
				t.Errorf("%s imports %s, which stands on no floor", p.ImportPath, imp)
			} else if other != room && below >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d): %s", p.ImportPath, floor, imp, below, why(room))
			}
		}
	}
}

func why(room string) string {
	for _, f := range floors {
		if f.room == room {
			return f.why
		}
	}
	return ""
}

// TestImportsOfKinds states what some rooms must never see, tests aside.
func TestImportsOfKinds(t *testing.T) {
	for _, rule := range []struct{ room, never, why string }{
		{"internal/pass", module + "/internal/format", "passes know no file format"},
		{"internal/runtime", module + "/internal/quant", "the runtime knows no policy"},
		{"internal/format", module + "/internal/pass", "doors run no passes"},
		{"internal/kernels", module + "/internal/tensor", "kernels see slices"},
		{"cmd", module + "/internal/ir", "commands hold no logic"},
		{"cmd", module + "/internal/op", "commands hold no logic"},
	} {
		for _, p := range packages(t) {
			if room, _, _ := roomOf(p.ImportPath); room != rule.room {
				continue
			}
			for _, imp := range p.Imports {
				if imp == rule.never || strings.HasPrefix(imp, rule.never+"/") {
					t.Errorf("%s imports %s: %s", p.ImportPath, imp, rule.why)
				}
			}
		}
	}
}
