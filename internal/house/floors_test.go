package house_test

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors says on which floor a room stands. Its packages import only what
// stands on lower floors or in the same room. This is a statement of policy:
// an import that breaks it means that code stands in the wrong room, not that
// the table needs a change.
var floors = []struct {
	room  string
	floor int
	why   string
}{
	{"internal/dtype", 0, "element types are facts about bits"},
	{"internal/cpu", 0, "features of the processor are asked by kernels and know none"},
	{"internal/diag", 0, "errors and warnings are for everybody"},
	{"internal/atomicfile", 0, "replacing files knows no format"},
	{"internal/exact", 0, "exact arithmetic sees numbers alone"},
	{"internal/wire", 0, "readers of bytes know no model"},
	{"testdata", 0, "embedded files are bytes"},
	{"internal/tensor", 1, "tensors know no operator"},
	{"internal/kernels", 1, "kernels see slices, no tensor"},
	{"internal/affine", 2, "the arithmetic of quantization sees no graph"},
	{"internal/metric", 2, "measures see numbers"},
	{"internal/dataset", 2, "samples know no model, only what the caller asks for"},
	{"internal/op", 3, "operators see no graph"},
	{"internal/ir", 4, "graphs know no file format and no policy"},
	{"internal/target", 5, "what a runtime accepts is data"},
	{"internal/format", 5, "doors run no passes"},
	{"internal/pass", 5, "passes keep the meaning and know no format"},
	{"internal/autodiff", 6, "gradients are graphs"},
	{"internal/runtime", 6, "running a graph needs no policy of quantization"},
	{"internal/quant", 7, "the conductor stands above what it conducts"},
	{"internal/validate", 8, "a verdict needs programs, not how they were made"},
	{"internal/report", 9, "reports compute nothing"},
	{"internal/serve", 9, "a server runs programs"},
	{"", 10, "the façade sees everything below"},
	{"cmd", 11, "commands hold no logic"},
	{"bench", 11, "generators and measurements look from outside"},
	{"interop", 11, "comparisons with peers use the façade"},
	{"internal/house", 12, "these tests read the house from outside"},
}

// tests only: rooms of helpers that only tests may import.
var testHelpers = []string{
	"internal/kernels/kerneltest",
	"internal/op/optest",
	"internal/ir/irtest",
	"internal/format/onnx/onnxtest",
}

// never holds what the floors alone would allow; tests are exempt.
var never = []struct {
	room   string
	avoids []string
	why    string
}{
	{"internal/kernels", []string{"internal/dtype"}, "kernels are chosen by the caller; element types are theirs by signature"},
	{"internal/op", []string{"internal/dataset", "internal/metric"}, "an operator is a definition, not a judgement"},
	{"internal/ir", []string{"internal/dataset", "internal/metric"}, "a graph holds no policy"},
	{"internal/format", []string{"internal/dataset", "internal/metric"}, "doors read and write models, nothing else"},
	{"internal/runtime", []string{"internal/target", "internal/format", "internal/dataset"}, "the runtime runs graphs, wherever they come from and whatever they are for"},
	{"internal/quant", []string{"internal/format", "internal/dataset"}, "quantization works on graphs and samples, not on files"},
	{"internal/validate", []string{"internal/quant", "internal/format", "internal/target"}, "a verdict must not depend on how the candidate was made"},
	{"cmd", []string{"internal/ir", "internal/op", "internal/pass", "internal/quant", "internal/runtime", "internal/format", "internal/tensor", "internal/affine"}, "commands hold no logic: what they need belongs to the façade"},
	{"bench", []string{"internal/ir", "internal/op", "internal/format"}, "a generator that used the doors could not find their faults"},
}

// pictures may be imported where data sets may not: it turns bytes into pixels,
// which is what the operator ImageDecoder means, and knows no data set.
const pictures = "internal/dataset/picture"

func roomOf(name string) (room string, floor int, why string, ok bool) {
	for _, f := range floors {
		if inside(name, f.room) {
			return f.room, f.floor, f.why, true
		}
	}
	return "", 0, "", false
}

func isTestHelper(name string) bool { return slices.Contains(testHelpers, name) }

// importError says why package name must not import the module's package imp,
// or returns "".
func importError(name, imp string, byTest bool) string {
	room, floor, why, ok := roomOf(name)
	if !ok {
		return "stands on no floor: give it a row in floors, with the reason, and one in docs/architecture.md"
	}
	other, below, _, ok := roomOf(imp)
	switch {
	case !ok:
		return "imports " + imp + ", which stands on no floor"
	case isTestHelper(imp):
		if byTest || isTestHelper(name) {
			return ""
		}
		return "imports " + imp + ", which is for tests"
	case other != room && below >= floor:
		return "(floor " + strconv.Itoa(floor) + ") imports " + imp + " (floor " + strconv.Itoa(below) + "): " + why
	}
	if byTest || isTestHelper(name) {
		return ""
	}
	for _, n := range never {
		if n.room != room {
			continue
		}
		for _, a := range n.avoids {
			if inside(imp, a) && imp != pictures {
				return "imports " + imp + ": " + n.why
			}
		}
	}
	return ""
}

func TestFloors(t *testing.T) {
	found := map[string]bool{}
	for _, platform := range platforms {
		for _, p := range packages(t, platform.goos, platform.goarch) {
			if _, _, _, ok := roomOf(p.name()); !ok && !found[p.name()] {
				found[p.name()] = true
				t.Errorf("%s %s", p.name(), importError(p.name(), "", false))
			}
			check := func(imports []string, byTest bool) {
				for _, imp := range imports {
					if !ours(imp) {
						continue
					}
					if e := importError(p.name(), inModule(imp), byTest); e != "" && !found[p.name()+e] {
						found[p.name()+e] = true
						t.Errorf("%s %s", p.ImportPath, e)
					}
				}
			}
			check(p.Imports, false)
			check(p.TestImports, true)
			check(p.XTestImports, true)
		}
	}
}

// TestFloorsCatch tries imports that the rules exist to prevent.
func TestFloorsCatch(t *testing.T) {
	for _, c := range []struct {
		from, to string
		test     bool
		want     string
	}{
		{"internal/kernels/gemm", "internal/tensor", false, "kernels see slices"},
		{"internal/kernels/conv", "internal/kernels/gemm", false, ""},
		{"internal/op", "internal/ir", false, "operators see no graph"},
		{"internal/op", "internal/ir", true, "operators see no graph"},
		{"internal/op", "internal/op/optest", false, "for tests"},
		{"internal/runtime", "internal/op/optest", true, ""},
		{"internal/format/onnx", "internal/pass", false, "doors run no passes"},
		{"internal/runtime", "internal/format/onnx", false, "wherever they come from"},
		{"internal/runtime", "internal/format/onnx", true, ""},
		{"internal/runtime", "internal/quant/observe", false, "policy"},
		{"internal/validate", "internal/quant", false, "how the candidate was made"},
		{"cmd/octavo", "internal/ir", false, "hold no logic"},
		{"cmd/octavo", "", false, ""},
		{"internal/quant", "", false, "conductor"},
		{"internal/shelf", "internal/dtype", false, "stands on no floor"},
		{"internal/dtype", "internal/shelf", false, "stands on no floor"},
	} {
		got := importError(c.from, c.to, c.test)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s importing %q (test: %v): got %q, want %q", c.from, c.to, c.test, got, c.want)
		}
	}
}

// TestArchitectureIsTheMap compares docs/architecture.md with the packages and
// their floors.
func TestArchitectureIsTheMap(t *testing.T) {
	doc, err := os.ReadFile(root + "/docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	onMap := map[string]int{}
	row := regexp.MustCompile(`(?m)^\| (\d+) \| (.+?) \|`)
	for _, m := range row.FindAllStringSubmatch(string(doc), -1) {
		floor, _ := strconv.Atoi(m[1])
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(m[2], -1) {
			for _, p := range expand(name[1]) {
				onMap[strings.TrimPrefix(p, "octavo")] = floor
			}
		}
	}
	here := map[string]bool{}
	for _, p := range packages(t, "linux", "amd64") {
		here[p.name()] = true
		for _, imp := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if ours(imp) {
				here[inModule(imp)] = true // testdata, which ./... leaves out
			}
		}
		_, floor, _, ok := roomOf(p.name())
		got, mapped := onMap[p.name()]
		if !mapped {
			t.Errorf("docs/architecture.md has no row for package %q", p.name())
		} else if ok && got != floor {
			t.Errorf("docs/architecture.md puts %q on floor %d, the table here on %d", p.name(), got, floor)
		}
	}
	for name := range onMap {
		if !here[name] {
			t.Errorf("docs/architecture.md has a row for %q, which is no package", name)
		}
	}
}

// expand writes out a{b,c}d.
func expand(s string) []string {
	head, rest, ok := strings.Cut(s, "{")
	if !ok {
		return []string{s}
	}
	list, tail, _ := strings.Cut(rest, "}")
	var out []string
	for part := range strings.SplitSeq(list, ",") {
		out = append(out, head+part+tail)
	}
	return out
}
