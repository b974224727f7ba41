package dataset

import (
	"fmt"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/tensor"
	"github.com/octavo-ml/octavo/internal/wire/npy"
)

func (o *opener) archive(p Path, m *tensor.Mapping) error {
	arch, err := npy.OpenArchive(readerAt(m.Bytes()), int64(len(m.Bytes())), npy.DefaultLimit)
	if err != nil {
		return fmt.Errorf("%s: %w", p.Path, err)
	}
	var names []string
	matched := false
	for _, mem := range arch.Members {
		names = append(names, mem.Name)
	}
	for _, mem := range arch.Members {
		name := mem.Name
		isInput := o.lacks(name)
		if p.Name != "" {
			isInput = name == p.Name
		}
		// The only array of an archive is for the only input, whatever its name.
		if !isInput && !slices.Contains(labelNames[:2], name) && only(names) == name && p.Name == "" {
			if one, err := o.onlyInput(p.Path); err == nil {
				name, isInput = one, true
			}
		}
		if !isInput && !slices.Contains(labelNames[:2], name) {
			continue
		}
		t, err := memberArray(arch, mem, m)
		if err != nil {
			return fmt.Errorf("%s: array %q: %w", p.Path, mem.Name, err)
		}
		where := p.Path + ":" + mem.Name
		if isInput {
			matched = true
			if err := o.add(name, where, t); err != nil {
				return err
			}
			continue
		}
		l, err := labelArray(where, t)
		if err == nil {
			err = o.labels.append(l)
		}
		if err != nil {
			return err
		}
	}
	if !matched {
		return diag.Usagef("%s: no array is named as an input of the model", p.Path).
			Note("arrays: %s", strings.Join(names, ", ")).Note("inputs: %s", strings.Join(inputNames(o.d.spec), ", "))
	}
	return nil
}

// only returns the single name that is not the labels', or "".
func only(names []string) string {
	out := ""
	for _, n := range names {
		if slices.Contains(labelNames[:2], n) {
			continue
		}
		if out != "" {
			return ""
		}
		out = n
	}
	return out
}
