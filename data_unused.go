package octavo

import (
	"fmt"
	"strings"

	"github.com/octavo-ml/octavo/internal/dataset/preprocess"
)

// unusedOptions is the table of the options that some data has no use for, by
// their flags: whether an option is given, and why the data has none.
var unusedOptions = []struct {
	flag  string
	given func(o *DataOptions) bool
	why   func(d *Dataset) string // "" where the data uses it
}{
	{"preprocess", func(o *DataOptions) bool { return o.Preprocess.Name != "" }, noPictures},
	{"color", func(o *DataOptions) bool { return o.Preprocess.Color != "" }, noPictures},
	{"resize", func(o *DataOptions) bool { return o.Preprocess.Resize != "" }, noPictures},
	{"crop", func(o *DataOptions) bool { return o.Preprocess.Crop != "" }, noPictures},
	{"scale", func(o *DataOptions) bool { return o.Preprocess.Scale != "" }, noPictures},
	{"mean", func(o *DataOptions) bool { return o.Preprocess.Mean != "" }, noPictures},
	{"std", func(o *DataOptions) bool { return o.Preprocess.Std != "" }, noPictures},
	{"layout", func(o *DataOptions) bool { return o.Preprocess.Layout != "" }, noPictures},
	{"interpolation", func(o *DataOptions) bool { return o.Preprocess.Interpolation != "" }, notResized},
	{"resampler", func(o *DataOptions) bool { return o.Preprocess.Resampler != "" }, notResized},
	{"skip-bad", func(o *DataOptions) bool { return o.SkipBad }, noPictures},
	{"pad", func(o *DataOptions) bool { return len(o.Pad) > 0 }, notRagged},
	{"class-names", func(o *DataOptions) bool { return o.ClassNames != "" }, noLabels},
	{"label-offset", func(o *DataOptions) bool { return o.LabelOffset != 0 }, noOffset},
}

// Unused returns a warning (OCT007) for each option that the data has no use
// for. labels says that the caller uses those, having loaded them.
func (d *Dataset) Unused(labels bool) []Warning {
	var out []Warning
	for _, u := range unusedOptions {
		if !u.given(&d.options) {
			continue
		}
		why := u.why(d)
		if !labels && u.flag == "label-offset" {
			why = "labels are not used"
		}
		if why != "" {
			out = append(out, Warning{ID: "OCT007", Msg: fmt.Sprintf("--%s is ignored: %s", u.flag, why)})
		}
	}
	return out
}

func noPictures(d *Dataset) string {
	if len(d.d.Pictures()) > 0 {
		return ""
	}
	return "the data holds no pictures"
}

func notResized(d *Dataset) string {
	if why := noPictures(d); why != "" {
		return why
	}
	def := &preprocess.Definition{}
	if d.chosen != nil {
		def = d.chosen.def
	}
	if def.Resize != "" {
		return ""
	}
	return "pictures are not resized"
}

// notRagged: rows of numbers may be short only where they are text.
func notRagged(d *Dataset) string {
	for _, p := range d.options.Pad {
		if name, _, _ := strings.Cut(p, "="); d.d.IsText(name) {
			return ""
		}
	}
	return "only rows of .jsonl and .csv can be short"
}

func noLabels(d *Dataset) string {
	if d.Labels() != nil || d.Targets() != nil {
		return ""
	}
	return "the data has no labels"
}

func noOffset(d *Dataset) string {
	switch {
	case d.Targets() != nil:
		return "labels that are floats are no classes"
	case d.d.NamedLabels():
		return "the labels are names of classes"
	}
	return noLabels(d)
}
