package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/octavo-ml/octavo"
)

// dataFlags say where samples come from and how they become inputs. Every
// command that runs a model over data takes the same ones.
type dataFlags struct {
	octavo.DataOptions
	// effective is the definition of preprocessing that open found.
	effective string
}

// add defines the flags; what names the samples in the help of --data.
func (f *dataFlags) add(s *pflag.FlagSet, what string) {
	s.StringArrayVar(&f.Paths, "data", nil, what+": .npz, .npy, .jsonl, .csv, a folder of arrays or pictures, @list.txt, or NAME=PATH")
	s.StringArrayVar(&f.Fill, "fill", nil, "NAME=VALUE: a constant for an input that the data lacks")
	s.StringArrayVar(&f.Pad, "pad", nil, "NAME=VALUE: what fills rows that are too short")
	s.StringArrayVar(&f.State, "state", nil, "INPUT=OUTPUT: an output that is the input of the next sample of a file")
	s.StringVar(&f.ClassNames, "class-names", "", "file with the names of the classes, one a line")
	s.IntVar(&f.LabelOffset, "label-offset", 0, "number that is added to labels")
	for _, step := range f.steps() {
		s.StringVar(step.value, step.flag, "", step.help)
	}
	s.BoolVar(&f.SkipBad, "skip-bad", false, "leave out pictures that are broken or have no label")
}

// step is a flag of the preprocessing of pictures.
type step struct {
	flag  string
	value *string
	help  string
}

// steps is the table of the flags of preprocessing.
func (f *dataFlags) steps() []step {
	p := &f.Preprocess
	return []step{
		{"preprocess", &p.Name, "how pictures become inputs: " + strings.Join(octavo.Presets(), ", ") + ", or a file (default: what the model records)"},
		{"color", &p.Color, "rgb, bgr or gray"},
		{"resize", &p.Resize, "256 (shorter side), 224x224 (exact), input (what the model takes) or letterbox:640@114"},
		{"crop", &p.Crop, "224 or 224x192: cut out of the middle"},
		{"scale", &p.Scale, "factor of pixels, such as 1/255"},
		{"mean", &p.Mean, "taken away after scaling: one number, or one for each channel with commas between"},
		{"std", &p.Std, "divided by after that"},
		{"interpolation", &p.Interpolation, "nearest, bilinear, bicubic, box or lanczos"},
		{"layout", &p.Layout, "nchw or nhwc (default: by the shape of the input)"},
		{"resampler", &p.Resampler, "whose arithmetic resizes: pil, tf or cv2"},
	}
}

// files are the files that the flags name, without those inside folders and
// lists.
func (f *dataFlags) files() []string {
	out := []string{f.ClassNames, f.Preprocess.Name}
	for _, p := range f.Paths {
		_, path, named := strings.Cut(p, "=")
		if !named {
			path = p
		}
		out = append(out, strings.TrimPrefix(path, "@"))
	}
	return out
}

// args returns the flags as they were given, for the child process that
// measures a model and for the next command in a summary.
func (f *dataFlags) args() []string {
	var out []string
	for _, l := range []struct {
		flag   string
		values []string
	}{{"--data", f.Paths}, {"--fill", f.Fill}, {"--pad", f.Pad}, {"--state", f.State}} {
		for _, v := range l.values {
			out = append(out, l.flag, v)
		}
	}
	for _, step := range f.steps() {
		if *step.value != "" {
			out = append(out, "--"+step.flag, *step.value)
		}
	}
	if f.ClassNames != "" {
		out = append(out, "--class-names", f.ClassNames)
	}
	if f.LabelOffset != 0 {
		out = append(out, "--label-offset", fmt.Sprint(f.LabelOffset))
	}
	if f.SkipBad {
		out = append(out, "--skip-bad")
	}
	return out
}

// open finds the samples for m, which others will run on too, passes on what
// that left to say, and prints how pictures become inputs.
func (c *cli) open(m *octavo.Model, f *dataFlags, others ...*octavo.Model) (*octavo.Dataset, error) {
	f.Threads, f.Warn, f.Others = c.threads, c.warnings.Warn, others
	d, err := m.OpenData(f.DataOptions)
	if err != nil {
		return nil, err
	}
	c.warnings.Warn(d.Warnings()...)
	f.effective = d.PreprocessingText()
	if line := d.Preprocessing(); line != "" && !c.quiet && !c.json {
		fmt.Println("preprocessing: " + line)
	}
	converted, err := d.Conversions()
	if err != nil {
		return nil, err
	}
	c.sayConverted(converted)
	return d, nil
}

// sayConverted says which inputs and outputs octavo itself converts.
func (c *cli) sayConverted(lines []string) {
	for _, line := range lines {
		if !c.quiet && !c.json {
			fmt.Println("converted for " + line)
		}
	}
}
