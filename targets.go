package octavo

import "github.com/octavo-ml/octavo/internal/target"

// Target describes where a quantized model will run: types, conventions, and
// the rule of each operator with its source.
type Target = target.Target

// LoadTarget returns the target of that name. The error gives the nearest
// names.
func LoadTarget(name string) (*Target, error) { return target.Load(name) }
