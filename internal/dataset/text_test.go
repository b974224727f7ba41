package dataset_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dataset"
	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// write makes a file of text in a folder of its own, or in dir.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// values returns the elements of a tensor and its shape as text.
func values(x *tensor.Tensor) string {
	if x == nil {
		return "none"
	}
	if v, ok := tensor.Ints(x); ok {
		return fmt.Sprint(v, x.Shape())
	}
	return fmt.Sprint(tensor.Data[float32](x), x.Shape())
}

var (
	row     = dataset.Input{Name: "x", Type: dtype.Float32, Shape: []int{-1, 3}}
	tokens  = dataset.Input{Name: "ids", Type: dtype.Int64, Shape: []int{-1, -1}}
	fixed   = dataset.Input{Name: "ids", Type: dtype.Int64, Shape: []int{1, 4}}
	batched = dataset.Input{Name: "x", Type: dtype.Float32, Shape: []int{2, 2}}
	scalar  = dataset.Input{Name: "s", Type: dtype.Float32, Shape: []int{}}
	picture = dataset.Input{Name: "x", Type: dtype.Float32, Shape: []int{-1, 1, 2, 2}}
)

func TestText(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		spec             dataset.Spec
		input            string
		want             []string // values of the samples
		labels           string
	}{
		{"objects", "a.jsonl", "{\"x\": [1, 2, 3], \"label\": 4}\n\n{\"label\": 5, \"x\": [4.5, -1e-3, 0.1]}\n", spec(row), "x", []string{"[1 2 3] [1 3]", "[4.5 -0.001 0.1] [1 3]"}, "[4 5]"},
		{"whole samples", "a.jsonl", `{"x": [[1,2,3]]}` + "\r\n" + `{"x": [[4,5,6]]}`, spec(row), "x", []string{"[1 2 3] [1 3]", "[4 5 6] [1 3]"}, "[]"},
		{"bare values", "a.jsonl", "[1,2,3]\n[4,5,6]\n", spec(row), "x", []string{"[1 2 3] [1 3]", "[4 5 6] [1 3]"}, "[]"},
		{"nested", "a.jsonl", `{"x": [[[1,2],[3,4]]], "labels": 2}`, spec(picture), "x", []string{"[1 2 3 4] [1 1 2 2]"}, "[2]"},
		{"length by sample", "a.jsonl", "{\"ids\": [9007199254740993]}\n{\"ids\": [1, 2]}\n", spec(tokens), "ids", []string{"[9007199254740993] [1 1]", "[1 2] [1 2]"}, "[]"},
		{"padded", "a.jsonl", "{\"ids\": [7]}\n{\"ids\": [1, 2, 3, 4]}\n", padded(spec(fixed), "ids", -1), "ids", []string{"[7 -1 -1 -1] [1 4]", "[1 2 3 4] [1 4]"}, "[]"},
		{"batch", "a.jsonl", "[1,2]\n[3,4]\n[5,6]\n", spec(batched), "x", []string{"[1 2 3 4] [2 2]"}, "[]"},
		{"float label", "a.jsonl", "{\"x\": [1,2,3], \"target\": [0.5, 1]}\n", spec(row), "x", []string{"[1 2 3] [1 3]"}, "[] [[0.5 1]]"},
		{"scalars", "a.jsonl", "{\"s\": 1.5}\n{\"s\": true}\n", spec(scalar), "s", []string{"[1.5] []", "[1] []"}, "[]"},
		{"columns", "a.csv", "x_0,x_1,x_2,label\n1,2,3,4\n4.5,-1e-3,0.1,5\n", spec(row), "x", []string{"[1 2 3] [1 3]", "[4.5 -0.001 0.1] [1 3]"}, "[4 5]"},
		{"columns in any order", "a.csv", "x[2],Label,x[0],x[1]\r\n3,4,1,2\r\n", spec(row), "x", []string{"[1 2 3] [1 3]"}, "[4]"},
		{"other names", "a.csv", "width,label,height,depth\n1,0,2,3\n", spec(row), "x", []string{"[1 2 3] [1 3]"}, "[0]"},
		{"no header", "a.csv", "1,2,3\n4,5,6", spec(row), "x", []string{"[1 2 3] [1 3]", "[4 5 6] [1 3]"}, "[]"},
		{"quotes", "a.csv", "\ufeff\"x_0\",x_1,x_2,\"label\"\n\"1\", 2 ,3,\"1\"\n", spec(row), "x", []string{"[1 2 3] [1 3]"}, "[1]"},
		{"folded", "a.csv", "1,2,3,4\n", spec(picture), "x", []string{"[1 2 3 4] [1 1 2 2]"}, "[]"},
		{"short rows", "a.csv", "a,b,c,d\n1,2\n,6,,8\n", padded(spec(fixed), "ids", 9), "ids", []string{"[1 2 9 9] [1 4]", "[9 6 9 8] [1 4]"}, "[]"},
		{"batch of records", "a.csv", "1,2\n3,4\n5,6\n7,8\n", spec(batched), "x", []string{"[1 2 3 4] [2 2]", "[5 6 7 8] [2 2]"}, "[]"},
		{"class names", "a.csv", "x_0,x_1,x_2,label\n1,2,3,\"dog, small\"\n1,2,3,cat\n", classes(spec(row), "cat", "dog, small"), "x", []string{"[1 2 3] [1 3]", "[1 2 3] [1 3]"}, "[1 0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := open(t, c.spec, write(t, filepath.Join(t.TempDir(), c.file), c.text))
			var got []string
			for i := range d.Len() {
				got = append(got, values(at(t, d, i, c.input)))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			l := fmt.Sprint(d.Labels())
			if d.Targets() != nil {
				l += " " + fmt.Sprint(d.Targets())
			}
			if l != c.labels {
				t.Errorf("labels %s, want %s", l, c.labels)
			}
		})
	}
}

func padded(s dataset.Spec, name string, v float64) dataset.Spec {
	s.Pad = map[string]float64{name: v}
	return s
}

func classes(s dataset.Spec, names ...string) dataset.Spec {
	s.ClassNames = names
	return s
}

func TestTextRefuses(t *testing.T) {
	two := spec(row, dataset.Input{Name: "m", Type: dtype.Float32, Shape: []int{-1, 1}})
	for _, c := range []struct {
		name, file, text string
		spec             dataset.Spec
		want             string // in the error of opening, or of any sample
	}{
		{"no JSON", "a.jsonl", "{\"x\": [1,2,3]}\n{\"x\": [1,\n", spec(row), "a.jsonl:2: no JSON"},
		{"no object", "a.jsonl", "{\"x\": [1,2,3]}\n3\n", spec(row), "a.jsonl:2: a number where an object should stand"},
		{"empty", "a.jsonl", "\n\n", spec(row), "holds no samples"},
		{"no input", "a.jsonl", `{"y": [1]}`, spec(row), "nothing is named as an input of the model\nthe file holds: y\ninputs: x"},
		{"missing in a line", "a.jsonl", "{\"x\": [1,2,3]}\n{\"label\": 1}\n", spec(row), `a.jsonl:2: the line has no "x"`},
		{"wrong rank", "a.jsonl", `{"x": [[[1,2,3]]]}`, spec(row), `a.jsonl:1: a value of shape [1 1 3] does not fit input "x" of shape [? 3]`},
		{"too long", "a.jsonl", `{"x": [1,2,3,4]}`, spec(row), `a value of shape [1 4] does not fit`},
		{"too short", "a.jsonl", `{"x": [1,2]}`, spec(row), "fewer elements than the model takes\n--pad x=VALUE"},
		{"ragged", "a.jsonl", `{"x": [[1,2],[3]]}`, spec(batched), "rows differ in length\n--pad x=VALUE"},
		{"mixed", "a.jsonl", `{"x": [[1],2]}`, spec(batched), "side by side"},
		{"float for integer", "a.jsonl", `{"ids": [1.5]}`, spec(tokens), `"1.5" for an input of type int64`},
		{"text", "a.jsonl", `{"x": ["a",2,3]}`, spec(row), "is no number"},
		{"too large", "a.jsonl", `{"x": [1e99,2,3]}`, spec(row), `"1e99" does not fit into float32`},
		{"bare for two", "a.jsonl", "[1,2,3]", two, "2 inputs"},
		{"one of two", "a.jsonl", `{"x": [1,2,3]}`, two, `nothing for input "m"`},
		{"labels of some", "a.jsonl", "{\"x\": [1,2,3], \"label\": 1}\n{\"x\": [1,2,3]}\n", spec(row), "1 labels for 2 samples"},
		{"a class by name", "a.jsonl", "{\"x\": [1,2,3], \"label\": \"dog\"}\n", spec(row), "a.jsonl:1: \"dog\" is no class index\n--class-names"},
		{"padding without end", "a.jsonl", `{"ids": [[` + strings.Repeat("1,", 9999) + "1]" + strings.Repeat(",[]", 10000) + "]}", padded(spec(tokens), "ids", 0), "too large"},
		{"two columns", "a.csv", "x_0,x_0\n1,2\n", spec(row), `a.csv:1: two columns are named "x_0"`},
		{"a gap", "a.csv", "x_0,x_2,y\n1,2,3\n", spec(row), `columns of "x": element 1 is missing`},
		{"same element", "a.csv", "x_0,x[0],x_1\n1,2,3\n", spec(row), "are the same element"},
		{"too few columns", "a.csv", "a,b\n1,2\n", spec(row), `2 numbers do not make input "x" of shape [? 3]`},
		{"short record", "a.csv", "a,b,c\n1,2,3\n1,2\n", spec(row), "a.csv:3: 2 fields, and 3 in the first line\n--pad"},
		{"long record", "a.csv", "a,b,c\n1,2,3,4\n", spec(row), "a.csv:2: 4 fields"},
		{"an empty field", "a.csv", "a,b,c\n1,,3\n", spec(row), "a.csv:2: input \"x\": field 2 is empty\n--pad x=VALUE"},
		{"a word", "a.csv", "a,b,c\n1,2,3\n1,two,3\n", spec(row), `a.csv:3: input "x": "two" is no number`},
		{"a list in a field", "a.csv", "a,b,c\n1,\"2,3\",4\n", spec(row), `"2,3" is no number`},
		{"an open quote", "a.csv", "a,b,c\n1,2,\"3\n", spec(row), "a.csv:2: a quoted field is not closed"},
		{"a stray quote", "a.csv", "a,b,c\n1,2\"2\",3\n", spec(row), "a.csv:2: a quote inside a field"},
		{"header alone", "a.csv", "a,b,c\n", spec(row), "holds no samples"},
		{"an unknown class", "a.csv", "a,b,c,label\n1,2,3,dgo\n", classes(spec(row), "cat", "dog"), "a.csv:2: \"dgo\" is no class index\ndid you mean dog?"},
		{"free dimensions", "a.csv", "1,2,3,4\n", spec(dataset.Input{Name: "x", Type: dtype.Float32, Shape: []int{-1, -1, -1}}), "do not say how long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := dataset.Open(parsed(c.spec, []string{write(t, filepath.Join(t.TempDir(), c.file), c.text)}), c.spec)
			if err == nil {
				defer d.Close()
				for i := 0; i < d.Len() && err == nil; i++ {
					_, err = d.At(i)
				}
			}
			if err == nil {
				t.Fatal("it is read")
			}
			if all := err.Error() + "\n" + strings.Join(diag.Notes(err), "\n"); !strings.Contains(all, c.want) {
				t.Errorf("%q does not mention %q", all, c.want)
			}
		})
	}
}

func TestManyRecords(t *testing.T) {
	var csv, jsonl strings.Builder
	csv.WriteString("label,a,b,c\n")
	for i := range 100 {
		fmt.Fprintf(&csv, "%d,%d,%d,%d\n", i%7, i, i+1, i+2)
		fmt.Fprintf(&jsonl, "{\"x\": [%d,%d,%d], \"label\": %d}\n", i, i+1, i+2, i%7)
		if i%3 == 0 {
			csv.WriteString("\n")
			jsonl.WriteString("  \n")
		}
	}
	dir := t.TempDir()
	a := open(t, spec(row), write(t, filepath.Join(dir, "a.csv"), csv.String()))
	b := open(t, spec(row), write(t, filepath.Join(dir, "a.jsonl"), jsonl.String()))
	if a.Len() != 100 || b.Len() != 100 || !slices.Equal(a.Labels(), b.Labels()) || a.Labels()[50] != 1 {
		t.Fatalf("%d and %d samples, labels %v", a.Len(), b.Len(), a.Labels())
	}
	for i := range 100 {
		want := fmt.Sprintf("[%d %d %d] [1 3]", i, i+1, i+2)
		if x, y := values(at(t, a, i, "x")), values(at(t, b, i, "x")); x != want || y != want {
			t.Fatalf("sample %d is %s and %s", i, x, y)
		}
	}
}

func TestLists(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "sub", "b.csv"), "1,2,3\n4,5,6\n")
	write(t, filepath.Join(dir, "a.jsonl"), "[7,8,9]\n")
	l := write(t, filepath.Join(dir, "list.txt"), "# two files\n\nsub/b.csv\r\nx=a.jsonl\n"+filepath.Join(dir, "a.jsonl")+"\n")
	d := open(t, spec(row), "@"+l)
	if d.Len() != 4 || values(at(t, d, 1, "x")) != "[4 5 6] [1 3]" || values(at(t, d, 3, "x")) != "[7 8 9] [1 3]" {
		t.Errorf("%d samples", d.Len())
	}
	for text, want := range map[string]string{
		"none.npy\n":    "list.txt:1: ",
		"# nothing\n":   "names no files",
		"a\x00b\n":      "zero byte",
		"@other.txt\n":  "list.txt:1: a list inside a list",
		"\n\nsub/c.csv": "list.txt:3: ",
	} {
		s := spec(row)
		write(t, l, text)
		if _, err := dataset.Open(parsed(s, []string{"@" + l}), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
