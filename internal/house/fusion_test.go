package house_test

import (
	"bufio"
	"bytes"
	"go/ast"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// fused matches the instructions that round x*y+z once.
var fused = map[string]*regexp.Regexp{
	"arm64": regexp.MustCompile(`\t(FN?M(ADD|SUB)[SD]?)\t`),
	"amd64": regexp.MustCompile(`\t(VFN?M(ADD|SUB)\d+[SP][SD])\t`),
}

// fusing are the targets on which Go fuses products and sums by itself.
var fusing = []struct{ arch, level string }{{"arm64", ""}, {"amd64", "GOAMD64=v3"}}

// fusions compiles packages for a target, reads the compiler's assembly, which
// the build cache replays, and returns the functions that fuse.
func fusions(t *testing.T, dir, arch, level string, patterns ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"build", "-gcflags=-S"}, patterns...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=")
	if level != "" {
		cmd.Env = append(cmd.Env, level)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", arch, err, out[max(0, len(out)-2000):])
	}
	var pkg, function string
	var found []string
	functions := 0
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "# "):
			pkg = line[2:]
		case strings.Contains(line, " STEXT "):
			function, _, _ = strings.Cut(line, " ")
			functions++
		case fused[arch].MatchString(line) && pkg != module+"/internal/exact" && !slices.Contains(found, function):
			found = append(found, function)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if functions == 0 {
		t.Fatalf("%s: the compiler printed no assembly", arch)
	}
	return found
}

// TestNoStrayFusion: outside internal/exact nothing fuses, or results would
// differ between machines (docs/numerics.md, the bit contract).
func TestNoStrayFusion(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the module twice")
	}
	for _, f := range fusing {
		for _, function := range fusions(t, root, f.arch, f.level, "./internal/...", ".") {
			t.Errorf("%s %s: %s fuses a product into a sum: put float32() or float64() around the product, or use exact.FMA32", f.arch, f.level, function)
		}
	}
}

// TestFusionIsSeen shows that the reading above finds what it looks for.
func TestFusionIsSeen(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles for two targets")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module probe\n\ngo 1.26\n",
		"probe.go": `package probe

func Plus32(x, y, z float32) float32 { return x*y + z }
func Plus64(x, y, z float64) float64 { return z + x*y }
func Minus(x, y, z float64) float64 { return x*y - z }
func Rounded(x, y, z float32) float32 { return float32(x*y) + z }
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range fusing {
		got := fusions(t, dir, f.arch, f.level, ".")
		slices.Sort(got)
		want := []string{"probe.Plus32", "probe.Plus64"}
		if f.arch == "arm64" {
			want = []string{"probe.Minus", "probe.Plus32", "probe.Plus64"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s %s: found %v, want %v", f.arch, f.level, got, want)
		}
	}
}

// exactMath are the functions of package math whose results IEEE 754 or Go's
// documentation fixes to the bit. The others differ between platforms, which
// have assembly for some, or fuse.
var exactMath = []string{
	"Abs", "Ceil", "Copysign", "Float32bits", "Float32frombits", "Float64bits", "Float64frombits", "Floor", "Frexp",
	"Ilogb", "Inf", "IsInf", "IsNaN", "Ldexp", "Logb", "Max", "Min", "Mod", "Modf", "NaN", "Nextafter", "Nextafter32",
	"Remainder", "Round", "RoundToEven", "Signbit", "Sqrt", "Trunc",
}

// TestOnlyExactMath: what reaches a kernel or a file is computed with the
// project's own functions (internal/kernels/eltwise); fused products come from
// internal/exact alone.
func TestOnlyExactMath(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() || !strings.HasPrefix(s.path, "internal/") && s.dir() != "" {
			continue
		}
		for _, imp := range s.file.Imports {
			if p, _ := strconv.Unquote(imp.Path.Value); p == "math/cmplx" {
				t.Errorf("%s: math/cmplx stands on the platform's sine and exponential", s.path)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := call.X.(*ast.Ident); !ok || x.Name != "math" || !ast.IsExported(call.Sel.Name) {
				return true
			}
			name := call.Sel.Name
			constant := strings.HasPrefix(name, "Max") && name != "Max" || strings.HasPrefix(name, "Min") && name != "Min" ||
				strings.HasPrefix(name, "Smallest") || slices.Contains([]string{"Pi", "E", "Phi", "Ln2", "Ln10", "Log2E", "Log10E"}, name) ||
				strings.HasPrefix(name, "Sqrt") && name != "Sqrt"
			if constant || slices.Contains(exactMath, name) || name == "FMA" && s.dir() == "internal/exact" {
				return true
			}
			t.Errorf("%s:%d: math.%s is not the same on every machine: use internal/kernels/eltwise, or exact.FMA32", s.path, s.line(call), name)
			return true
		})
	}
}
