package dataset

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
)

// fileIndex finds samples by the names of their files: by the path below the
// folder that the user named, or by the last part of it where that is unique.
type fileIndex struct {
	names []string // by sample
	full  map[string]int
	base  map[string]int // -1: several files
}

// fileIndex returns the index of the pictures that the samples come from.
func (d *Dataset) fileIndex() fileIndex {
	x := fileIndex{full: map[string]int{}, base: map[string]int{}}
	for _, c := range d.columns {
		for _, p := range c.parts {
			pics, ok := p.source.(*pictures)
			if !ok {
				x.names = nil
				break
			}
			x.names = append(x.names, pics.names...)
		}
		if len(x.names) == d.n {
			break
		}
	}
	for i, n := range x.names {
		x.full[n] = i
		if _, twice := x.base[path.Base(n)]; twice {
			i = -1
		}
		x.base[path.Base(n)] = i
	}
	return x
}

// find returns the sample of a file, or -1, or -2 where several files fit.
func (x fileIndex) find(name string) int {
	name = strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "./")
	if i, ok := x.full[name]; ok {
		return i
	}
	i, ok := x.base[path.Base(name)]
	switch {
	case !ok:
		return -1
	case i < 0:
		return -2
	}
	return i
}

func (x fileIndex) has(name string) bool { return x.find(name) != -1 }

// few lists the first of some names.
func few(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
}

// byFile puts the labels l of the entries e into the order of the samples.
// Files that the entries name and the data lacks are a warning; a file without
// a label, or with two, is an error.
func (d *Dataset) byFile(where string, l labels, e labelEntries, files fileIndex) (labels, error) {
	at := slices.Repeat([]int{-1}, len(files.names)) // entry by sample
	var absent, twice, vague []string
	for k, entry := range e {
		switch i := files.find(entry.file); {
		case i == -1:
			absent = append(absent, entry.file)
		case i == -2:
			vague = append(vague, entry.file)
		case at[i] >= 0:
			twice = append(twice, entry.file)
		default:
			at[i] = k
		}
	}
	var without []string
	for i, k := range at {
		if k < 0 {
			without = append(without, files.names[i])
		}
	}
	switch {
	case len(twice) > 0:
		return l, diag.Usagef("%s: %d files are named more than once", where, len(twice)).Note("%s", few(twice))
	case len(vague) > 0:
		return l, diag.Usagef("%s: %d names fit several files of the data", where, len(vague)).Note("%s", few(vague)).Note("give the path below the folder")
	case len(without) > 0 && !d.spec.SkipBad:
		err := diag.Usagef("%s: %d of %d files have no label", where, len(without), len(at)).Note("%s", few(without))
		if len(absent) > 0 {
			err.Note("labels for files that the data lacks: %s", few(absent))
		}
		return l, err.Note("--skip-bad leaves them out")
	}
	if len(absent) > 0 {
		d.warn = append(d.warn, diag.Warning{ID: "OCT016", Msg: fmt.Sprintf("%s: %d of %d labels are for files that the data lacks", where, len(absent), len(e)), Notes: []string{few(absent)}})
	}
	if len(without) > 0 {
		d.warn = append(d.warn, diag.Warning{ID: "OCT016", Msg: fmt.Sprintf("%s: %d of %d files have no label and are left out", where, len(without), len(at)), Notes: []string{few(without)}})
	}
	out := labels{real: l.real, named: l.named}
	var kept []int
	for i, k := range at {
		if k < 0 {
			continue
		}
		kept = append(kept, i)
		if l.classes != nil {
			out.classes = append(out.classes, l.classes[k])
		} else {
			out.targets = append(out.targets, l.targets[k])
		}
	}
	d.keep(kept)
	return out, nil
}

// keep leaves only the samples with these indices, in this order.
func (d *Dataset) keep(indices []int) {
	if len(indices) == d.n {
		return
	}
	if d.order != nil {
		for k, i := range indices {
			indices[k] = d.order[i]
		}
	}
	d.order, d.n = indices, len(indices)
}

// warnEmptyClasses warns of named classes that no sample has.
func (d *Dataset) warnEmptyClasses() {
	names := d.spec.ClassNames
	if len(names) == 0 || len(d.labels.classes) == 0 {
		return
	}
	seen := make([]bool, len(names))
	for _, c := range d.labels.classes {
		if c >= 0 && c < int64(len(seen)) {
			seen[c] = true
		}
	}
	var empty []string
	for i, n := range names {
		if !seen[i] {
			empty = append(empty, n)
		}
	}
	if len(empty) > 0 {
		d.warn = append(d.warn, diag.Warning{ID: "OCT017", Msg: fmt.Sprintf("%d of %d classes have no sample", len(empty), len(names)), Notes: []string{few(empty)}})
	}
}

// CheckClasses warns where the labels look as if they counted another list of
// classes than the scores of a model, one shorter than theirs: such models
// answer "background" with class 0. scores is how many the model gives.
func (d *Dataset) CheckClasses(scores int) {
	if scores != 1001 || len(d.labels.classes) == 0 || slices.Max(d.labels.classes) > 999 {
		return
	}
	d.warn = append(d.warn, diag.Warning{ID: "OCT011", Msg: fmt.Sprintf("the model has 1001 outputs, and labels go up to %d: class 0 of such models is often \"background\"", slices.Max(d.labels.classes)),
		Notes: []string{"--label-offset 1 adds 1 to each label"}})
}
