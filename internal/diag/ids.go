package diag

// Known is a warning that the tool can give.
type Known struct {
	ID    string // OCT and three digits: never given to another meaning
	Title string // one line: what the warning is about
}

// known lists the warnings by id. A new one goes at the end; one that is not
// given any more stays, so that its id is not used again.
var known = []Known{
	{"OCT001", "an unknown operator is carried through unchanged"},
	{"OCT002", "fewer than 32 calibration samples"},
	{"OCT003", "calibrated on random data"},
	{"OCT004", "activation ranges still grew at the end of calibration"},
	{"OCT005", "NaN or infinity in the values of a sample"},
	{"OCT006", "an activation is constant over all calibration samples"},
	{"OCT007", "a flag is ignored in this mode"},
	{"OCT008", "preprocessing is missing or overrides what the model records"},
	{"OCT009", "samples that do not fill a batch are dropped"},
	{"OCT010", "float64 data is narrowed to float32"},
	{"OCT011", "labels look off by one"},
	{"OCT012", "a remark of the target on this model"},
	{"OCT013", "information in the input model is dropped"},
	{"OCT014", "a temporary file of an interrupted run is removed"},
	{"OCT015", "broken pictures are skipped"},
	{"OCT016", "a label file and the data name different files"},
	{"OCT017", "a class has no sample"},
	{"OCT018", "files beside the pictures of a folder are left aside"},
	{"OCT019", "inputs lie far outside what a model was calibrated for"},
	{"OCT020", "a cache of calibration cannot be used"},
	{"OCT021", "packed weights cannot be kept"},
}

// KnownWarnings returns the table of warnings, ordered by id.
func KnownWarnings() []Known { return append([]Known(nil), known...) }

func isKnown(id string) bool {
	for _, k := range known {
		if k.ID == id {
			return true
		}
	}
	return false
}
