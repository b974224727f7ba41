// Command _licences writes licences.txt into the folder given as its argument:
// the licence texts of octavo, of Go's standard library and of each module
// that octavo is linked from on any system. Texts that several share stand
// there once.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// rule begins a line that names whose text follows.
const rule = "==== "

// systems together link every module.
var systems = []string{"linux", "darwin", "windows"}

// names are the beginnings of the files in a module that must be passed on
// with it, or that say what its users may do.
var names = []string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "PATENTS"}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . FOLDER")
		os.Exit(2)
	}
	if err := write(filepath.Join(os.Args[1], "licences.txt")); err != nil {
		fmt.Fprintln(os.Stderr, "_licences:", err)
		os.Exit(1)
	}
}

func write(path string) error {
	goroot, err := goTool("", "env", "GOROOT")
	if err != nil {
		return err
	}
	root, err := goTool("", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return err
	}
	modules, err := linked()
	if err != nil {
		return err
	}
	var t texts
	if err := t.add("octavo", strings.TrimSpace(root)); err != nil {
		return err
	}
	if err := t.add("std", strings.TrimSpace(goroot)); err != nil {
		return err
	}
	for _, m := range modules {
		name, version, _ := strings.Cut(m, " ")
		dir, err := goTool("", "list", "-m", "-f", "{{.Dir}}", name)
		if err != nil {
			return err
		}
		if dir = strings.TrimSpace(dir); dir == "" {
			return fmt.Errorf("%s is not in the module cache: go mod download %s", name, name)
		}
		if err := t.add(name+" "+version, dir); err != nil {
			return err
		}
	}
	return os.WriteFile(path, t.bytes(), 0o644)
}

// linked lists "module version" of all that the program is linked from.
func linked() ([]string, error) {
	var out []string
	for _, system := range systems {
		s, err := goTool(system, "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", "..")
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(s) {
			if line = strings.TrimSpace(line); line != "" {
				out = append(out, line)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func goTool(goos string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if goos != "" {
		cmd.Env = append(cmd.Env, "GOOS="+goos, "GOARCH=amd64")
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return string(out), nil
}

// text is one licence text and the files that hold it, as "module version file".
type text struct {
	owners []string
	text   []byte
}

// texts stand in the order of their first owner.
type texts []text

// add reads the licence files at the top of a folder.
func (t *texts) add(owner, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		if e.IsDir() || !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(strings.ToUpper(e.Name()), n) }) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		b = append(bytes.Trim(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), "\n"), '\n')
		if bytes.Contains(append([]byte("\n"), b...), []byte("\n"+rule)) {
			return fmt.Errorf("%s: %s has a line that begins with %q", dir, e.Name(), rule)
		}
		found = true
		who := owner + " " + e.Name()
		i := slices.IndexFunc(*t, func(o text) bool { return bytes.Equal(o.text, b) })
		if i >= 0 {
			(*t)[i].owners = append((*t)[i].owners, who)
			continue
		}
		*t = append(*t, text{[]string{who}, b})
	}
	if !found {
		return fmt.Errorf("%s has no licence file for %s", dir, owner)
	}
	return nil
}

func (t texts) bytes() []byte {
	var b bytes.Buffer
	for i, x := range t {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, o := range x.owners {
			b.WriteString(rule + o + "\n")
		}
		b.WriteByte('\n')
		b.Write(x.text)
	}
	return b.Bytes()
}
