package cpu_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/octavo-ml/octavo/internal/cpu"
)

var all = []cpu.Level{cpu.Generic, cpu.AVX2, cpu.AVXVNNI, cpu.AVX512, cpu.VNNI, cpu.AMX, cpu.NEON, cpu.DotProd, cpu.I8MM}

func TestOverrideLimitsAndRestores(t *testing.T) {
	before := cpu.Current()
	for _, l := range all {
		restore, err := cpu.Override(l.String())
		if (err == nil) != cpu.Has(l) {
			t.Errorf("%s: Has is %v, but override: %v", l, cpu.Has(l), err)
		}
		if err != nil {
			continue
		}
		for _, m := range all {
			if cpu.Has(m) && m > l {
				t.Errorf("limited to %s there is %s", l, m)
			}
		}
		if cpu.Current() != l || !cpu.Has(l) || !cpu.Has(cpu.Generic) {
			t.Errorf("limited to %s: current is %s", l, cpu.Current())
		}
		restore()
		if cpu.Current() != before {
			t.Errorf("got %s back, want %s", cpu.Current(), before)
		}
	}
}

func TestLevelsOfOneArchitectureOnly(t *testing.T) {
	if cpu.Has(cpu.NEON) && cpu.Has(cpu.AVX2) {
		t.Error("both NEON and AVX2")
	}
}

func TestUnknownLevel(t *testing.T) {
	if _, err := cpu.Override("sse9"); err == nil || !strings.Contains(err.Error(), `"sse9": unknown here; known are generic`) {
		t.Errorf("got %v", err)
	}
}

// TestEnvironment runs this test binary again, as the variable is read once.
func TestEnvironment(t *testing.T) {
	if os.Getenv("CPU_TEST_CHILD") != "" {
		t.Logf("level=%s err=%v", cpu.Current(), cpu.Err())
		return
	}
	run := func(value string) string {
		cmd := exec.Command(os.Args[0], "-test.run=^TestEnvironment$", "-test.v")
		cmd.Env = append(os.Environ(), "CPU_TEST_CHILD=1", cpu.Environment+"="+value)
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.ENOEXEC) {
			t.Skip("this machine runs the test binary through an emulator only")
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	if out := run("generic"); !strings.Contains(out, "level=generic err=<nil>") {
		t.Errorf("generic: %s", out)
	}
	detected := run("")
	if !strings.Contains(detected, "err=<nil>") {
		t.Errorf("empty: %s", detected)
	}
	level := strings.Fields(detected[strings.Index(detected, "level="):])[0]
	if out := run("fast"); !strings.Contains(out, level+` err=OCTAVO_ISA: instruction set "fast": unknown here`) {
		t.Errorf("unknown level: %s, want %s and an error", out, level)
	}
}
