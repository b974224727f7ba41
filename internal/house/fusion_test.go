package house_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// fused matches the instructions that round x*y+z once.
var fused = map[string]*regexp.Regexp{
	"arm64": regexp.MustCompile(`\t(FN?M(ADD|SUB)[SD]?)\t`),
	"amd64": regexp.MustCompile(`\t(VFN?M(ADD|SUB)\d+[SP][SD])\t`),
}

// TestNoStrayFusion reads the compiler's assembly for the two targets on which
// Go fuses products and sums by itself: outside internal/exact there must be
// none, or results would differ between machines.
func TestNoStrayFusion(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the module twice")
	}
	for _, target := range []struct{ arch, env string }{{"arm64", "GOARCH=arm64"}, {"amd64", "GOAMD64=v3"}} {
		cmd := exec.Command("go", "build", "-gcflags=-S", "./internal/...", ".")
		cmd.Dir = "../.."
		goarch := "GOARCH=" + target.arch
		cmd.Env = append(os.Environ(), goarch, target.env, "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", target.env, err, tail(out))
		}
		pkg, function, found := "", "", map[string]bool{}
		s := bufio.NewScanner(bytes.NewReader(out))
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			line := s.Text()
			switch {
			case strings.HasPrefix(line, "# "):
				pkg = line[2:]
			case strings.Contains(line, " STEXT "):
				function, _, _ = strings.Cut(line, " ")
			case fused[target.arch].MatchString(line) && !strings.HasSuffix(pkg, "/internal/exact"):
				found[function] = true
			}
		}
		for f := range found {
			t.Errorf("%s: %s fuses a product into a sum: put a float32() or float64() around the product, or use exact.FMA32", target.env, f)
		}
	}
}

func tail(b []byte) []byte { return b[max(0, len(b)-2000):] }
