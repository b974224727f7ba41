package house_test

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// dependencies is the whole list. A new one needs its licence and reason in
// docs/dependencies.md; an unused one is removed.
var dependencies = []string{
	"github.com/google/go-cmp v0.7.0",
	"github.com/inconshreveable/mousetrap v1.1.0",
	"github.com/rogpeppe/go-internal v1.16.0",
	"github.com/spf13/cobra v1.10.2",
	"github.com/spf13/pflag v1.0.9",
	"go.yaml.in/yaml/v3 v3.0.6",
	"golang.org/x/sync v0.24.0",
	"golang.org/x/sys v0.49.0",
	"golang.org/x/tools v0.32.0",
	"google.golang.org/protobuf v1.36.12",
	"pgregory.net/rapid v1.3.0",
}

func TestDependenciesArePinnedAndExplained(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range strings.Split(string(mod), "\n") {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && strings.Contains(fields[0], ".") && strings.HasPrefix(fields[1], "v") {
			got = append(got, fields[0]+" "+fields[1])
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, dependencies) {
		t.Errorf("go.mod has\n%s\nthe list here has\n%s", strings.Join(got, "\n"), strings.Join(dependencies, "\n"))
	}
	for _, d := range got {
		name, version, _ := strings.Cut(d, " ")
		if !strings.Contains(string(doc), name) || !strings.Contains(string(doc), version) {
			t.Errorf("docs/dependencies.md does not explain %s", d)
		}
	}
}
