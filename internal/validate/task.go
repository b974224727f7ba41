package validate

import "github.com/octavo-ml/octavo/internal/diag"

// The tasks.
const (
	// Classification: one axis of the output holds a score for each class.
	Classification = "classification"
	// Binary: one class against the rest, by a threshold on its probability.
	Binary = "binary"
	// Regression: the output should equal the numbers that the labels give.
	Regression = "regression"
	// Reconstruction: the output should equal the input; with labels, its error
	// tells which samples are of class 1.
	Reconstruction = "reconstruction"
	// Embedding: the direction of the output is what counts.
	Embedding = "embedding"
	// None: no labels; agreement and error against the float model.
	None = "none"
)

// Tasks are the words for them.
var Tasks = diag.Words{Known: []string{Classification, Binary, Regression, Reconstruction, Embedding, None}, Unbuilt: []string{"multilabel", "detection", "segmentation"},
	Instead: []string{"none compares outputs with the float model's, whatever they mean"}}

// chooseTask returns the task that fits the first sample and the number of
// scores in its output.
func chooseTask(s Sample, scores int) string {
	switch {
	case s.Target != nil:
		return Regression
	case s.Label < 0:
		return None
	case scores == 1 && s.Label <= 1:
		return Binary
	}
	return Classification
}
