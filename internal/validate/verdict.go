package validate

import (
	"encoding/json"

	"github.com/octavo-ml/octavo/internal/diag"
)

// Schema names the layout of a verdict as JSON. Fields are added under the same
// name; a change of meaning is a new one.
const Schema = "octavo.validate/1"

// Verdict is the outcome: Models[0] is the float model.
type Verdict struct {
	Schema  string `json:"schema"`
	Task    string `json:"task"`
	Output  string `json:"output"`
	Samples int    `json:"samples"`
	Classes int    `json:"classes,omitempty"`
	// Metric is the task's first metric, which Drop and gates are about; "" for
	// a task without one.
	Metric string `json:"metric,omitempty"`
	// Seed and Rounds are those of bootstrap intervals and exchange tests.
	Seed   uint64   `json:"seed"`
	Rounds int      `json:"resamples"`
	Models []Result `json:"models"`
	// Gates are the demands that were made, in the order of their kinds.
	Gates    []Gate         `json:"gates,omitempty"`
	Notes    []string       `json:"notes,omitempty"`
	Warnings []diag.Warning `json:"warnings"`
	// Flips are the samples whose answer a candidate changed.
	Flips []Flip `json:"-"`
}

// Result is what was measured of one model.
type Result struct {
	Name string `json:"name"`
	// Outputs says that the outputs were read, not computed here.
	Outputs bool `json:"outputs_from_file,omitempty"`
	// Metrics are the figures of the task, the first one first.
	Metrics []Figure `json:"metrics,omitempty"`
	// Classification and binary; averages are macro, of binary those of the
	// positive class.
	Accuracy  *Rate    `json:"accuracy,omitempty"`
	Precision *float64 `json:"precision,omitempty"`
	Recall    *float64 `json:"recall,omitempty"`
	F1        *float64 `json:"f1,omitempty"`
	Top5      *float64 `json:"top5,omitempty"`
	// PerClass holds every class that occurs; Worst the five classes whose
	// recall fell most against the float model.
	PerClass []ClassScore  `json:"per_class,omitempty"`
	Worst    []ClassChange `json:"worst_classes,omitempty"`
	// Against the float model; nil for it itself.
	Drop      *Change  `json:"drop,omitempty"`
	Agreement *float64 `json:"agreement,omitempty"`
	SQNR      *float64 `json:"sqnr_db,omitempty"`
	// Latency of one run in this engine, in seconds; 0 for outputs of files.
	P50 float64 `json:"latency_p50_s"`
	P90 float64 `json:"latency_p90_s"`
	// Filled in by the caller.
	Bytes     int64      `json:"bytes"`
	Footprint *Footprint `json:"footprint,omitempty"`
}

// Figure is one measure with its 95 % interval.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Lo    float64 `json:"lo"`
	Hi    float64 `json:"hi"`
	// Interval is "wilson" or "bootstrap".
	Interval string `json:"interval"`
	// Better is "higher" or "lower".
	Better string `json:"better"`
}

// Rate is a share of samples with its 95 % Wilson interval.
type Rate struct {
	Value float64 `json:"value"`
	Lo    float64 `json:"lo"`
	Hi    float64 `json:"hi"`
}

// Change is how much of the first metric is lost against the float model:
// positive is worse, whether the metric is better high or low.
type Change struct {
	Value float64 `json:"value"`
	// Lo and Hi bound it with 95 % confidence, the samples being paired.
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
	// P is the probability of a change at least this large by chance.
	P float64 `json:"p"`
	// Test is what P comes from: "mcnemar", exact, on the samples whose answer
	// changed, or "exchange", a paired permutation test.
	Test string `json:"test"`
	// Noise says that the change is within what chance gives (P ≥ 0.05).
	Noise bool `json:"within_noise"`
}

// ClassScore judges one class.
type ClassScore struct {
	Class     int     `json:"class"`
	Support   int64   `json:"support"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// ClassChange is the recall of one class before and after.
type ClassChange struct {
	Class   int     `json:"class"`
	Support int64   `json:"support"`
	Float   float64 `json:"float_recall"`
	Recall  float64 `json:"recall"`
}

// Flip is a sample that a candidate answers in another way.
type Flip struct {
	Candidate string
	Sample    int
	Label     int64 // -1: none
	Float     int
	Answer    int
}

// Gate is a demand on one candidate and whether it is met.
type Gate struct {
	Name      string `json:"name"` // as the flag: "max-drop 0.01"
	Candidate string `json:"candidate"`
	Passed    bool   `json:"passed"`
	Message   string `json:"message"` // what was measured
}

// Footprint is what one model takes in a process of its own.
type Footprint struct {
	PeakAnonymous int64   `json:"peak_anonymous_bytes"`
	Mapped        int64   `json:"mapped_bytes"`
	LoadSeconds   float64 `json:"load_seconds"`
	// FirstSeconds is the time of the first run, which plans memory.
	FirstSeconds float64 `json:"first_run_seconds"`
	// Cached is the same over a cache of packed weights; nil without one.
	Cached *Footprint `json:"cached,omitempty"`
}

// finite returns &v, or nil where v is NaN or infinite: JSON has neither.
func finite(v float64) *float64 {
	if v-v != 0 {
		return nil
	}
	return &v
}

// MarshalJSON leaves out an SQNR that is no number, which is that of outputs
// without any error.
func (r Result) MarshalJSON() ([]byte, error) {
	type plain Result
	p := plain(r)
	if p.SQNR != nil {
		p.SQNR = finite(*p.SQNR)
	}
	return json.Marshal(p)
}

// MarshalJSON writes what is no number as null.
func (f Figure) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name     string   `json:"name"`
		Value    *float64 `json:"value"`
		Lo       *float64 `json:"lo"`
		Hi       *float64 `json:"hi"`
		Interval string   `json:"interval"`
		Better   string   `json:"better"`
	}{f.Name, finite(f.Value), finite(f.Lo), finite(f.Hi), f.Interval, f.Better})
}

// MarshalJSON writes what is no number as null.
func (c Change) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Value *float64 `json:"value"`
		Lo    *float64 `json:"lo"`
		Hi    *float64 `json:"hi"`
		P     *float64 `json:"p"`
		Test  string   `json:"test"`
		Noise bool     `json:"within_noise"`
	}{finite(c.Value), finite(c.Lo), finite(c.Hi), finite(c.P), c.Test, c.Noise})
}
