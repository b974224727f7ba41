package quant

import (
	"slices"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/diag"
)

func TestModeCheck(t *testing.T) {
	for mode, want := range map[Mode]string{
		"": "", Auto: "", Static: "", Dynamic: "", WeightOnly: "", Float16: "", BFloat16: "",
		"hybrid": "mode hybrid means two things: say which",
		"statik": `mode "statik" is not known`,
	} {
		err := mode.Check()
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", mode, err)
			}
			continue
		}
		if err == nil || err.Error() != want || diag.ExitCode(err) != 2 || len(diag.Notes(err)) == 0 {
			t.Errorf("%q: got %v, notes %q", mode, err, diag.Notes(err))
		}
		// What does not work is not offered.
		for _, note := range diag.Notes(err) {
			for _, no := range WordsOf("mode").Unbuilt {
				if strings.Contains(note, "--mode "+no) {
					t.Errorf("%q: the note %q offers a mode that is not built", mode, note)
				}
			}
		}
	}
	if notes := diag.Notes(Mode("dynamik").Check()); !slices.Contains(notes, "did you mean dynamic?") {
		t.Errorf("notes %q", notes)
	}
}
