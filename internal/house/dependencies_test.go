package house_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dependency is a module that the project stands on. use names the rooms whose
// code imports it; tests of any room may where tests is set. A module without
// either comes through another one.
type dependency struct {
	module, version, licence string
	use                      []string
	tests                    bool
	why                      string
}

// dependencies is the whole list. It is the same list as in go.mod and in
// docs/dependencies.md, so that none comes in unseen.
var dependencies = []dependency{
	{"github.com/google/go-cmp", "v0.7.0", "BSD-3-Clause", nil, true, "readable differences"},
	{"github.com/inconshreveable/mousetrap", "v1.1.0", "Apache-2.0", nil, false, "cobra's, on Windows"},
	{"github.com/rogpeppe/go-internal", "v1.16.0", "BSD-3-Clause", nil, true, "testscript runs the commands, txtar holds goldens"},
	{"github.com/spf13/cobra", "v1.10.2", "Apache-2.0", []string{"cmd"}, false, "commands, flags, help, completion"},
	{"github.com/spf13/pflag", "v1.0.9", "BSD-3-Clause", []string{"cmd"}, false, "the flags of cobra"},
	{"go.yaml.in/yaml/v3", "v3.0.6", "MIT AND Apache-2.0", []string{"internal/dataset/preprocess", "internal/quant"}, false, "recipes and definitions of preprocessing"},
	{"golang.org/x/image", "v0.47.0", "BSD-3-Clause", []string{"internal/dataset"}, false, "decoders of webp, bmp and tiff"},
	{"golang.org/x/sync", "v0.24.0", "BSD-3-Clause", []string{"internal/quant"}, false, "the workers of calibration"},
	{"golang.org/x/sys", "v0.49.0", "BSD-3-Clause", []string{"internal/atomicfile", "internal/cpu", "internal/tensor"}, false, "processor features, mapped files, file locks"},
	{"golang.org/x/tools", "v0.32.0", "BSD-3-Clause", nil, false, "go-internal's, for txtar"},
	{"google.golang.org/protobuf", "v1.36.12", "BSD-3-Clause", []string{"internal/wire/proto"}, true, "varints and tags under the ONNX codec"},
	{"pgregory.net/rapid", "v1.3.0", "MPL-2.0", nil, true, "properties with shrinking"},
}

var licences = []string{"MIT", "MIT AND Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "MPL-2.0", "ISC", "Unlicense"}

func moduleLines(t *testing.T) []string {
	t.Helper()
	mod, err := os.ReadFile(root + "/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if regexp.MustCompile(`(?m)^(replace|exclude)\b`).Match(mod) {
		t.Error("go.mod replaces or excludes a module: then go install of a version fails")
	}
	var out []string
	for line := range strings.Lines(string(mod)) {
		f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(f) >= 2 && strings.Contains(f[0], ".") && strings.HasPrefix(f[1], "v") {
			out = append(out, f[0]+" "+f[1])
		}
	}
	slices.Sort(out)
	return out
}

func TestDependenciesArePinned(t *testing.T) {
	var want []string
	for _, d := range dependencies {
		want = append(want, d.module+" "+d.version)
		if !slices.Contains(licences, d.licence) || d.why == "" {
			t.Errorf("%s: licence %q, reason %q", d.module, d.licence, d.why)
		}
	}
	if got := moduleLines(t); !slices.Equal(got, want) {
		t.Errorf("go.mod has\n%s\nthe list here has\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestDependenciesAreExplained compares with the table of docs/dependencies.md.
func TestDependenciesAreExplained(t *testing.T) {
	doc, err := os.ReadFile(root + "/docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| ([a-z]\S*\.\S+) \| (v\S+) \| ([^|]+) \| ([^|]+) \|$`)
	var got, want []string
	for _, m := range row.FindAllStringSubmatch(string(doc), -1) {
		got = append(got, strings.Join([]string{m[1], m[2], m[3]}, " | "))
	}
	for _, d := range dependencies {
		want = append(want, strings.Join([]string{d.module, d.version, d.licence}, " | "))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("docs/dependencies.md has\n%s\nthe list here has\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestDependenciesStayInTheirRooms holds who may import what.
func TestDependenciesStayInTheirRooms(t *testing.T) {
	used := map[string]bool{}
	wrong := map[string]bool{}
	check := func(p goPackage, imp string, byTest bool) {
		if first, _, _ := strings.Cut(imp, "/"); !strings.Contains(first, ".") || ours(imp) {
			return
		}
		i := slices.IndexFunc(dependencies, func(d dependency) bool { return imp == d.module || strings.HasPrefix(imp, d.module+"/") })
		if i < 0 {
			t.Errorf("%s imports %s, which is not in the list", p.ImportPath, imp)
			return
		}
		d := dependencies[i]
		used[d.module] = true
		in := func(room string) bool { return inside(p.name(), room) }
		if byTest && d.tests || slices.ContainsFunc(d.use, in) || wrong[p.name()+imp] {
			return
		}
		wrong[p.name()+imp] = true
		t.Errorf("%s imports %s, which is for %v (tests: %v)", p.ImportPath, imp, d.use, d.tests)
	}
	for _, platform := range platforms {
		for _, p := range packages(t, platform.goos, platform.goarch) {
			for _, imp := range p.Imports {
				check(p, imp, false)
			}
			for _, imp := range slices.Concat(p.TestImports, p.XTestImports) {
				check(p, imp, true)
			}
		}
	}
	for _, d := range dependencies {
		if (len(d.use) > 0 || d.tests) && !used[d.module] {
			t.Errorf("nothing imports %s: remove it", d.module)
		}
	}
}
