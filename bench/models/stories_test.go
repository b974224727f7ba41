package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo"
)

var storyFolder = filepath.Join("..", "..", "..", "shared", "models", stories)

// pieces returns the texts of the tokens (llama2.c, tokenizer.py).
func pieces(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(storyFolder, "tok512.bin"))
	if err != nil {
		t.Skipf("needs the real models: %v", err)
	}
	var out []string
	for data = data[4:]; len(data) > 0; {
		n := int(binary.LittleEndian.Uint32(data[4:]))
		out = append(out, string(data[8:8+n]))
		data = data[8+n:]
	}
	return out
}

// TestStoriesTellTheirStory: from the first token on the network tells, with the
// likeliest token each time, the story that is published with its weights.
func TestStoriesTellTheirStory(t *testing.T) {
	const want = " Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high."
	dir, all := t.TempDir(), pieces(t)
	if err := writeStories(dir, filepath.Join(storyFolder, "stories260K.bin")); err != nil {
		t.Fatal(err)
	}
	m, err := octavo.Load(filepath.Join(dir, stories+".onnx"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	p, err := m.Compile()
	if err != nil {
		t.Fatal(err)
	}
	const layers, heads, d, first = 5, 4, 8, 1
	in := octavo.Inputs{}
	for l := range layers {
		for _, kind := range []string{"key", "value"} {
			in[fmt.Sprintf("past_%s_%d", kind, l)] = octavo.NewTensor([]float32{}, 1, heads, 0, d)
		}
	}
	told, next := "", first
	for at := 0; len(told) < len(want); at++ {
		in["token"], in["position"] = octavo.NewTensor([]int64{int64(next)}, 1), octavo.NewTensor([]int64{int64(at)}, 1)
		out, err := p.Run(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		scores := octavo.Data[float32](out["scores"])
		for next = range scores {
			if scores[next] == slices.Max(scores) {
				break
			}
		}
		for name, v := range out {
			if rest, ok := strings.CutPrefix(name, "present"); ok {
				in["past"+rest] = v
			}
		}
		told += all[next]
	}
	if told != want {
		t.Errorf("told %q, want %q", told, want)
	}
}

// TestReadStoryRefuses: what is no file of such weights is an error.
func TestReadStoryRefuses(t *testing.T) {
	header := func(v ...int32) []byte {
		var b bytes.Buffer
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, data := range map[string][]byte{
		"short":            {1, 2, 3},
		"cut":              header(64, 172, 5, 8, 4, 512, 512),
		"negative":         header(64, 172, 5, 8, 4, -512, 512),
		"huge":             header(64, 172, 1<<30, 8, 4, 512, 512),
		"heads do not fit": header(64, 172, 5, 7, 4, 512, 512),
	} {
		path := filepath.Join(t.TempDir(), "weights.bin")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := readStory(path); err == nil {
			t.Errorf("%s: got nil, want an error", name)
		}
	}
	if err := writeStories(t.TempDir(), filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
