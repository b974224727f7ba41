package preprocess

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/octavo-ml/octavo/internal/diag"
)

// besideName is the file that Hugging Face puts beside models.
const besideName = "preprocessor_config.json"

// FindBeside returns the path of the preprocessor_config.json in the folder of
// a model file, where there is one.
func FindBeside(modelPath string) (path string, ok bool) {
	path = filepath.Join(filepath.Dir(modelPath), besideName)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return "", false
	}
	return path, true
}

// Named returns the preset of that name, or the definition in that file: YAML
// or a preprocessor_config.json, told apart by their keys.
func Named(word string) (*Definition, error) {
	if d, ok := Preset(word); ok {
		return d, nil
	}
	if _, err := os.Stat(word); err != nil {
		return nil, diag.Usagef("preprocessing: preset or file %q is not known", word).Suggest(filepath.Base(word), Presets(), "known")
	}
	return ReadFile(word)
}

// ReadFile reads a definition from a file.
func ReadFile(path string) (*Definition, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err != nil {
		return nil, err
	}
	parse := Parse
	if isHuggingFace(b) {
		parse = ParseHuggingFace
	}
	d, err := parse(b)
	if err != nil {
		return nil, &diag.Error{Kind: diag.Usage, Err: fmt.Errorf("%s: %w", path, err)}
	}
	return d, nil
}

// isHuggingFace: a JSON object with one key at least that only their files
// have.
func isHuggingFace(b []byte) bool {
	if !bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) {
		return false
	}
	var keys map[string]json.RawMessage
	if json.Unmarshal(b, &keys) != nil {
		return false
	}
	for _, k := range []string{"image_processor_type", "feature_extractor_type", "processor_class", "do_resize", "do_rescale", "do_normalize", "image_mean"} {
		if _, ok := keys[k]; ok {
			return true
		}
	}
	return false
}
