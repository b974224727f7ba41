package cpu_test

import (
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/cpu"
)

func TestOverride(t *testing.T) {
	before := cpu.Current()
	restore, err := cpu.Override(cpu.Generic)
	if err != nil {
		t.Fatal(err)
	}
	if !cpu.Has(cpu.Generic) || cpu.Has(cpu.AVX2) || cpu.Has(cpu.NEON) {
		t.Errorf("the override to generic does not hold")
	}
	restore()
	if cpu.Current() != before {
		t.Errorf("got %s back, want %s", cpu.Current(), before)
	}
	if _, err := cpu.Override("sse9"); err == nil || !strings.Contains(err.Error(), "known here: generic") {
		t.Errorf("unknown level: got %v", err)
	}
}
