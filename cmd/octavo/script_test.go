package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/octavo-ml/octavo/internal/runtime"
	"github.com/octavo-ml/octavo/testdata"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"octavo": main})
}

// lite copies TensorFlow Lite models into a folder.
func lite(dir string) error {
	for to, from := range map[string]string{
		"digits.tflite": "digits_keras_mlp.dynamic", "cnn.tflite": "digits_cnn.int8",
		"loop.tflite": "digits_keras_lstm.dynamic", "states.tflite": "digits_keras_lstm.fused.int8",
	} {
		b, err := os.ReadFile("../../internal/format/tflite/testdata/" + from + ".tflite")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, to), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// TestScripts runs testdata/script, each script in a folder that holds the
// demo's model.onnx, calib.npz and test.npz, and four TensorFlow Lite models.
func TestScripts(t *testing.T) {
	t.Cleanup(func() { checkErrorsPage(t) }) // when the scripts have ended
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			for _, name := range []string{"model.onnx", "calib.npz", "test.npz"} {
				b, err := testdata.Demo.ReadFile("demo/" + name)
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(e.WorkDir, name), b, 0o644); err != nil {
					return err
				}
			}
			return lite(e.WorkDir)
		},
		Condition: func(name string) (bool, error) {
			return name == "root" && os.Geteuid() == 0 || name == "bfloat16" && runtime.HasBF16(), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fails":     fails,
			"json":      checkJSON,
			"samebytes": sameBytes,
			"truncate":  truncate,
			"npy":       makeArray,
			"npz":       makeArchive,
			"onnx":      makeModel,
			"png":       makePicture,
		},
	})
}
