package diag_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/octavo-ml/octavo/internal/diag"
)

func TestWords(t *testing.T) {
	w := diag.Words{Known: []string{"channel", "tensor"}, Unbuilt: []string{"group:N", "row"}, Instead: []string{"channel loses least"}}
	for _, c := range []struct {
		word, err string
		notes     []string
	}{
		{word: "tensor"},
		{"chanel", `granularity "chanel" is not known`, []string{"did you mean channel?", "known: channel, tensor"}},
		{"pixel", `granularity "pixel" is not known`, []string{"known: channel, tensor"}},
		{"", `granularity "" is not known`, []string{"known: channel, tensor"}},
		{"group:32", "granularity group:32 is not built in this release", []string{"channel loses least", "known: channel, tensor"}},
		{"group", "granularity group is not built in this release", []string{"channel loses least", "known: channel, tensor"}},
		{"group:", `granularity "group:" is not known`, []string{"did you mean group:N? It is not built in this release", "known: channel, tensor"}},
		{"row:3", `granularity "row:3" is not known`, []string{"did you mean row? It is not built in this release", "known: channel, tensor"}},
		{"rov", `granularity "rov" is not known`, []string{"did you mean row? It is not built in this release", "known: channel, tensor"}},
	} {
		t.Run(c.word, func(t *testing.T) {
			err := w.Check("granularity", c.word)
			if c.err == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			if err == nil || err.Error() != c.err || diag.ExitCode(err) != 2 {
				t.Errorf("got %v, want %s with exit code 2", err, c.err)
			}
			if d := cmp.Diff(c.notes, diag.Notes(err)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"float16", "bfloat16"}
	if d := cmp.Diff([]string{"did you mean float16?", "did you mean bfloat16?", "types: float16, bfloat16"}, diag.Usagef("x").Suggest("float1", names, "types").Notes); d != "" {
		t.Error(d)
	}
	if got := diag.Usagef("x").Suggest("y", names, "").Notes; got != nil {
		t.Errorf("nothing near and no list: %q", got)
	}
}
