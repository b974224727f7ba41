package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/testdata"
)

// built is octavo, built once: a test binary would start itself where octavo
// starts a process for each model.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "octavo-examples-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "octavo")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// octavoIn runs octavo in dir, for a minute at most.
func octavoIn(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Skipf("octavo cannot be built here: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	return cmd
}

// exampleFiles makes the files that examples name, once.
var exampleFiles = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "octavo-examples-")
	if err != nil {
		return "", err
	}
	for _, name := range []string{"model.onnx", "calib.npz", "test.npz"} {
		b, err := testdata.Demo.ReadFile("demo/" + name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o644)
		}
		if err != nil {
			return "", err
		}
	}
	recipe, err := os.ReadFile("../../testdata/recipe.yaml")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "recipe.yaml"), recipe, 0o644)
	}
	if err != nil {
		return "", err
	}
	m, err := octavo.Load(filepath.Join(dir, "model.onnx"))
	if err != nil {
		return "", err
	}
	defer m.Close()
	for _, set := range []string{"calib", "test"} {
		d, err := m.OpenData(octavo.DataOptions{Paths: []string{filepath.Join(dir, set+".npz")}})
		if err != nil {
			return "", err
		}
		if err := spreadOut(dir, set, d); err != nil {
			return "", err
		}
		d.Close()
	}
	path, err := built()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(path, "quantize", "model.onnx", "--data", "calib.npz")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

// spreadOut writes samples in the other forms that examples name.
func spreadOut(dir, set string, d *octavo.Dataset) error {
	photos := filepath.Join(dir, set+"-photos")
	for _, folder := range []string{filepath.Join(dir, set), photos} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			return err
		}
	}
	var whole []float32
	var lines, table strings.Builder
	table.WriteString("file,label\n")
	i := 0
	for in, err := range d.Samples(64) {
		if err != nil {
			return err
		}
		for _, t := range in {
			var b bytes.Buffer
			if err := octavo.WriteArray(&b, t); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, set, fmt.Sprintf("%05d.npy", i)), b.Bytes(), 0o644); err != nil {
				return err
			}
			whole = append(whole, octavo.Data[float32](t)...)
			if i == 0 {
				if err := os.WriteFile(filepath.Join(dir, "sample.npy"), b.Bytes(), 0o644); err != nil {
					return err
				}
			}
			pic := image.NewGray(image.Rect(0, 0, 8, 8))
			for k, v := range octavo.Data[float32](t) {
				pic.Pix[k] = uint8(v*255 + 0.5)
			}
			b.Reset()
			if err := png.Encode(&b, pic); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(photos, fmt.Sprintf("%05d.png", i)), b.Bytes(), 0o644); err != nil {
				return err
			}
		}
		if labels := d.Labels(); labels != nil {
			label := labels[i*d.Len()/min(64, d.Len())]
			fmt.Fprintln(&lines, label)
			fmt.Fprintf(&table, "%05d.png,%d\n", i, label)
		}
		i++
	}
	var b bytes.Buffer
	if err := octavo.WriteArray(&b, octavo.NewTensor(whole, i, 1, 8, 8)); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, set+".npy"), b.Bytes(), 0o644); err != nil {
		return err
	}
	if d.Labels() == nil {
		return nil
	}
	if err := os.WriteFile(filepath.Join(dir, "labels.txt"), []byte(lines.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "labels.csv"), []byte(table.String()), 0o644)
}

// exampleFolder returns a folder of its own with the files that examples name:
// model.onnx, calib.npz and test.npz of the demo, model.int8.onnx made of
// them; 64 samples of each as calib/ and test/ (.npy), calib-photos/ and
// test-photos/ (.png), calib.npy and test.npy, one as sample.npy; the labels of
// those of test as labels.txt and labels.csv; and recipe.yaml.
func exampleFolder(t *testing.T) string {
	t.Helper()
	from, err := exampleFiles()
	if err != nil {
		t.Skipf("octavo cannot be built here: %v", err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// runExample runs a line as a shell would: words, quotes, > FILE at the end,
// and a comment "# exit N" for an exit code other than 0.
func runExample(t *testing.T, dir, line string) {
	t.Helper()
	line, comment, _ := strings.Cut(line, "  #")
	want := 0
	if _, code, ok := strings.Cut(comment, "exit "); ok {
		var err error
		if want, err = strconv.Atoi(strings.Fields(code)[0]); err != nil {
			t.Fatal(err)
		}
	}
	words := shellWords(line)[1:]
	if i := len(words) - 2; i > 0 && words[i] == ">" {
		words = words[:i]
	}
	cmd := octavoIn(t, dir, words...)
	if out, err := cmd.CombinedOutput(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != want {
		t.Errorf("%s: %v, want exit code %d\n%s", line, err, want, out)
	}
}

// shellWords splits a line at spaces outside single and double quotes.
func shellWords(line string) []string {
	var out []string
	word, quote, open := "", rune(0), false
	for _, r := range line + " " {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word += string(r)
		case r == '\'' || r == '"':
			quote, open = r, true
		case r == ' ':
			if open || word != "" {
				out = append(out, word)
			}
			word, open = "", false
		default:
			word += string(r)
		}
	}
	return out
}

// TestExamplesOfDocsRun runs every line of a fenced block that begins with
// octavo, in the README and in docs: those of a page one after the other in one
// folder.
func TestExamplesOfDocsRun(t *testing.T) {
	pages := []string{"../../README.md"}
	err := filepath.WalkDir("../../docs", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && filepath.Ext(path) == ".md" {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, page := range pages {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		fenced := false
		for line := range strings.Lines(string(b)) {
			line = strings.TrimRight(line, "\r\n ")
			if strings.HasPrefix(line, "```") {
				fenced = !fenced
			}
			if line = strings.TrimPrefix(line, "$ "); fenced && strings.HasPrefix(line, "octavo ") {
				lines = append(lines, line)
			}
		}
		if len(lines) == 0 {
			continue
		}
		ran += len(lines)
		t.Run(filepath.Base(page), func(t *testing.T) {
			dir := exampleFolder(t)
			for _, line := range lines {
				runExample(t, dir, line)
			}
		})
	}
	if ran == 0 {
		t.Error("no examples were found")
	}
}
