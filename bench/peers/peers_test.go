package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServeAnswersEachLine holds a conversation with the demo's model.
func TestServeAnswersEachLine(t *testing.T) {
	dir := t.TempDir()
	load := func(name string, threads int) request {
		return request{Do: "load", Name: name, Path: "../../testdata/demo/model.onnx", Threads: threads, Arrays: filepath.Join(dir, name)}
	}
	steps := []struct {
		ask  request
		fail string
	}{
		{ask: request{Do: "run", Name: "a"}, fail: `no model is called "a"`},
		{ask: load("a", 1)},
		{ask: load("a", 1), fail: "names differ"},
		{ask: load("b", 2)},
		{ask: request{Do: "load", Name: "c", Path: filepath.Join(dir, "none.onnx")}, fail: "none.onnx"},
		{ask: request{Do: "load", Name: "c", Path: "../../testdata/demo/model.onnx", Dims: []string{"x=1"}}, fail: `no input has a dimension "x"`},
		{ask: request{Do: "run", Name: "a", Runs: 3}},
		{ask: request{Do: "run", Name: "b", Runs: 1, Seconds: 0.01}},
		{ask: request{Do: "stop", Name: "a"}, fail: "the requests are"},
		{ask: request{Do: "drop", Name: "a"}},
		{ask: request{Do: "run", Name: "a"}, fail: "no model"},
	}
	var in, out strings.Builder
	for _, s := range steps {
		if err := json.NewEncoder(&in).Encode(s.ask); err != nil {
			t.Fatal(err)
		}
	}
	in.WriteString("no JSON\n")
	if err := serve(strings.NewReader(in.String()), &out); err != nil {
		t.Fatal(err)
	}
	answers := json.NewDecoder(strings.NewReader(out.String()))
	for i, s := range steps {
		var a answer
		if err := answers.Decode(&a); err != nil {
			t.Fatal(err)
		}
		if (a.Error == "") != (s.fail == "") || !strings.Contains(a.Error, s.fail) {
			t.Errorf("step %d, %s %s: error %q, want %q", i, s.ask.Do, s.ask.Name, a.Error, s.fail)
		}
		if s.fail != "" {
			continue
		}
		switch s.ask.Do {
		case "load":
			for _, files := range []map[string]string{a.Inputs, a.Outputs} {
				for name, file := range files {
					if info, err := os.Stat(file); err != nil || info.Size() < 128 {
						t.Errorf("step %d: %s: %v", i, name, err)
					}
				}
			}
			if a.Inputs["input"] == "" || len(a.Outputs) != 1 || a.ISA == "" {
				t.Errorf("step %d: %+v", i, a)
			}
		case "run":
			if len(a.Times) < s.ask.Runs || s.ask.Seconds > 0 && len(a.Times) < 2 || a.Times[0] <= 0 {
				t.Errorf("step %d: times %v", i, a.Times)
			}
		}
	}
	var last answer
	if err := answers.Decode(&last); err != nil || last.Error == "" {
		t.Errorf("a line that is no JSON was answered by %+v, %v", last, err)
	}
}
