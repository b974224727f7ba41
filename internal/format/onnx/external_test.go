package onnx_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/octavo-ml/octavo/internal/format"
	"github.com/octavo-ml/octavo/internal/format/onnx"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// outside is a model whose initializer of two float32 lies in another file.
func outside(location string, keys ...string) []byte {
	fs := []field{varint(2, f32), text(8, "w"), varint(1, 2), varint(14, 1)}
	if location != "" {
		fs = append(fs, sub(13, text(1, "location"), text(2, location)))
	}
	for i := 0; i < len(keys); i += 2 {
		fs = append(fs, sub(13, text(1, keys[i]), text(2, keys[i+1])))
	}
	return model(17, sub(5, fs...), bare("w"))
}

func decodeFile(t *testing.T, path string) ([]float32, error) {
	src, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	m, err := onnx.Decode(src)
	if err != nil {
		return nil, err
	}
	return slices.Clone(tensor.Data[float32](m.Graph.Outputs[0].Const)), nil
}

func TestExternalData(t *testing.T) {
	dir := t.TempDir()
	inside := filepath.Join(dir, "model")
	must(t, os.MkdirAll(filepath.Join(inside, "sub"), 0o755))
	data := tensor.FromSlice([]float32{1, 2, 3, 4}, 4).Bytes()
	secret := filepath.Join(dir, "secret")
	for _, name := range []string{secret, filepath.Join(inside, "w.bin"), filepath.Join(inside, "sub", "w.bin"), filepath.Join(inside, "twin")} {
		must(t, os.WriteFile(name, data, 0o644))
	}
	must(t, os.Link(secret, filepath.Join(inside, "hard")))
	for link, to := range map[string]string{"soft": secret, "softdir": dir, "near": "w.bin"} {
		if err := os.Symlink(to, filepath.Join(inside, link)); err != nil {
			t.Skip("no symbolic links here")
		}
	}
	file := filepath.Join(inside, "m.onnx")
	tests := []struct {
		name, location string
		keys           []string
		want           []float32
		problem        string
	}{
		{name: "whole", location: "w.bin", keys: []string{"length", "8"}, want: []float32{1, 2}},
		{name: "offset", location: "w.bin", keys: []string{"offset", "8", "length", "8"}, want: []float32{3, 4}},
		{name: "no length", location: "w.bin", keys: []string{"offset", "4"}, want: []float32{2, 3}},
		{name: "checksum", location: "w.bin", keys: []string{"checksum", "0123"}, want: []float32{1, 2}},
		{name: "folder", location: "sub/w.bin", want: []float32{1, 2}},
		{name: "dot", location: "./sub/../w.bin", want: []float32{1, 2}},
		{name: "absolute", location: secret, problem: "own folder"},
		{name: "parent", location: "../secret", problem: "own folder"},
		{name: "parent behind a folder", location: "sub/../../secret", problem: "own folder"},
		{name: "backslash", location: `..\secret`, problem: "own folder"},
		{name: "symbolic link", location: "soft", problem: "link"},
		{name: "symbolic link inside", location: "near", problem: "link"},
		{name: "folder that is a link", location: "softdir/secret", problem: "softdir"},
		{name: "hard link", location: "hard", problem: "link"},
		{name: "a folder", location: "sub", problem: "regular"},
		{name: "missing", location: "nothing", problem: "nothing"},
		{name: "no location", problem: "without a location"},
		{name: "short length", location: "w.bin", keys: []string{"length", "4"}, problem: "4 bytes, shape [2] needs 8"},
		{name: "long length", location: "w.bin", keys: []string{"length", "16"}, problem: "16 bytes"},
		{name: "offset past the end", location: "w.bin", keys: []string{"offset", "12"}, problem: `"w.bin"`},
		{name: "enormous offset", location: "w.bin", keys: []string{"offset", "9223372036854775807"}, problem: `"w.bin"`},
		{name: "negative offset", location: "w.bin", keys: []string{"offset", "-4"}, problem: "no number"},
		{name: "offset past all numbers", location: "w.bin", keys: []string{"offset", "9223372036854775808"}, problem: "no number"},
		{name: "negative length", location: "w.bin", keys: []string{"length", "-8"}, problem: "no number"},
		{name: "ends in the dot-dot of the folder", location: "sub/..", problem: "regular"},
		{name: "nothing but a dot", location: ".", problem: "regular"},
		{name: "offset in words", location: "w.bin", keys: []string{"offset", "many"}, problem: "no number"},
	}
	for _, tt := range tests {
		if tt.location == "hard" && runtime.GOOS == "windows" {
			continue // its file information has no count of links
		}
		must(t, os.WriteFile(file, outside(tt.location, tt.keys...), 0o644))
		got, err := decodeFile(t, file)
		if tt.problem == "" {
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%s: got %v, %v; want %v", tt.name, got, err, tt.want)
			}
			continue
		}
		isFormatError(t, tt.name, err)
		if err != nil && (!strings.Contains(err.Error(), tt.problem) || !strings.Contains(err.Error(), "m.onnx")) {
			t.Errorf("%s: error is %q, want it to name the file and %q", tt.name, err, tt.problem)
		}
	}
}

func TestExternalDataWithoutFolder(t *testing.T) {
	_, err := onnx.Decode(format.FromBytes("m.onnx", outside("w.bin")))
	isFormatError(t, "from memory", err)
	if err != nil && !strings.Contains(err.Error(), "path") {
		t.Errorf("error is %q, want it to say what would work", err)
	}
	files := fstest.MapFS{
		"models/m.onnx": {Data: outside("w.bin")},
		"models/w.bin":  {Data: tensor.FromSlice([]float32{5, 6}, 2).Bytes()},
		"w.bin":         {Data: tensor.FromSlice([]float32{0, 0}, 2).Bytes()},
	}
	src, err := format.FromFS(files, "models/m.onnx")
	must(t, err)
	m, err := onnx.Decode(src)
	must(t, err)
	if got := tensor.Data[float32](m.Graph.Outputs[0].Const); !slices.Equal(got, []float32{5, 6}) {
		t.Errorf("got %v", got)
	}
	files["models/m.onnx"] = &fstest.MapFile{Data: outside("./sub/../w.bin")}
	src, err = format.FromFS(files, "models/m.onnx")
	must(t, err)
	if _, err = onnx.Decode(src); err != nil {
		t.Error(err)
	}
	files["models/m.onnx"] = &fstest.MapFile{Data: outside("../w.bin")}
	src, err = format.FromFS(files, "models/m.onnx")
	must(t, err)
	_, err = onnx.Decode(src)
	isFormatError(t, "parent in a file system", err)
}

// TestExternalWritten writes constants into a companion file and reads both.
func TestExternalWritten(t *testing.T) {
	big, small := make([]float32, 1500), []float32{1, 2}
	for i := range big {
		big[i] = float32(i)
	}
	g := decode(t, model(17, constant("a", big, 1500), constant("b", small, 2), constant("c", big[500:], 1000),
		bare("a"), bare("b"), bare("c")))
	enc, err := onnx.Encode(g, format.EncodeOptions{Name: "m.onnx", External: true})
	must(t, err)
	if len(enc.Companions) != 1 || enc.Companions[0].Name != "m.onnx.data" {
		t.Fatalf("companions are %+v", enc.Companions)
	}
	data := bytesOf(enc.Companions[0])
	if int64(len(data)) != enc.Companions[0].Size || len(data) != 6016+4000 {
		t.Errorf("the companion has %d bytes, announced %d", len(data), enc.Companions[0].Size)
	}
	dir := t.TempDir()
	main := bytesOf(enc.Main)
	if len(main) > 1000 {
		t.Errorf("the main file has %d bytes", len(main))
	}
	must(t, os.WriteFile(filepath.Join(dir, "m.onnx"), main, 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "m.onnx.data"), data, 0o644))
	src, err := format.Open(filepath.Join(dir, "m.onnx"))
	must(t, err)
	defer src.Close()
	m, err := onnx.Decode(src)
	must(t, err)
	if a, b := ir.Format(g), ir.Format(m.Graph); a != b {
		t.Errorf("%d and %d bytes of text differ: %v", len(a), len(b), fmt.Sprint(m.Graph.Outputs[0].Const.Shape()))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
