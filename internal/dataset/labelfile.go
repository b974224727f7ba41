package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/octavo-ml/octavo/internal/diag"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// fileColumns are the names of the column, or key, that names a sample's file.
var fileColumns = []string{"file", "filename", "file_name", "image", "path", "name"}

// parseLabels reads the labels in b, the content of the file called where:
// .npy, or lines of JSON, of .csv, of "file label", or of a label alone. isFile
// reports whether a word names a file of the data; without such files labels
// stand in the order of the samples.
func parseLabels(where string, b []byte, names []string, isFile func(string) bool) (labels, labelEntries, error) {
	if bytes.HasPrefix(b, npyMagic) {
		t, err := array(tensor.FromMemory(b), 0, int64(len(b)))
		if err != nil {
			return labels{}, nil, fmt.Errorf("%s: %w", where, err)
		}
		l, err := labelArray(where, t)
		return l, nil, err
	}
	e, err := labelText(where, bytes.TrimPrefix(b, utf8Mark), isFile)
	if err != nil {
		return labels{}, nil, err
	}
	if len(e) == 0 {
		return labels{}, nil, &diag.Error{Msg: where + ": the file holds no labels"}
	}
	l, err := e.labels(where, names)
	return l, e, err
}

func labelText(where string, b []byte, isFile func(string) bool) (labelEntries, error) {
	if t := bytes.TrimSpace(b); len(t) > 0 && t[0] == '{' {
		return labelJSON(where, b)
	}
	records, err := labelRecords(where, b)
	if err != nil || len(records) == 0 {
		return nil, err
	}
	// A first line that names the columns.
	file, label := -1, -1
	for i, f := range records[0].fields {
		lower := strings.ToLower(f)
		if slices.Contains(fileColumns, lower) {
			file = i
		} else if slices.Contains(labelNames, lower) || lower == "class" {
			label = i
		}
	}
	if label >= 0 && (file >= 0 || len(records[0].fields) == 1) {
		records = records[1:]
	} else {
		file, label = -1, 0
		if slices.ContainsFunc(records, func(r labelRecord) bool { return len(r.fields) > 1 }) {
			file, label = 0, 1
		}
	}
	if file >= 0 && !slices.ContainsFunc(records, func(r labelRecord) bool { return len(r.fields) > file && isFile(r.fields[file]) }) {
		for _, r := range records {
			if len(r.fields) > file && isPicture(r.fields[file]) {
				return nil, diag.Usagef("%s:%d: the data has no file %q, nor any other that is named here", where, r.line, r.fields[file])
			}
		}
		return wholeLines(records), nil
	}
	var e labelEntries
	for _, r := range records {
		if len(r.fields) <= max(file, label) {
			return nil, diag.Usagef("%s:%d: want a file and its label", where, r.line)
		}
		entry := labelEntry{line: r.line, text: r.fields[label]}
		if file >= 0 {
			entry.file = r.fields[file]
		}
		e = append(e, entry)
	}
	return e, nil
}

// wholeLines takes each line as one label, as none names a file of the data.
func wholeLines(records []labelRecord) labelEntries {
	var e labelEntries
	for _, r := range records {
		e = append(e, labelEntry{line: r.line, text: r.text})
	}
	return e
}

// labelRecord is a line of a label file in its fields.
type labelRecord struct {
	line   int
	text   string
	fields []string
}

// labelRecords splits lines at commas if the first line has one, else at the
// last white space.
func labelRecords(where string, b []byte) ([]labelRecord, error) {
	first, _, _, _ := lineRecord(b)
	next := lineRecord
	commas := bytes.IndexByte(first, ',') >= 0
	if commas {
		next = csvRecord
	}
	var out []labelRecord
	_, err := newRecordIndex(where, b, 0, next, func(line int, record []byte) error {
		r := labelRecord{line: line, text: strings.TrimSpace(string(record))}
		if !commas {
			r.fields = []string{r.text}
			if i := strings.LastIndexAny(r.text, " \t"); i > 0 {
				r.fields = []string{strings.TrimSpace(r.text[:i]), r.text[i+1:]}
			}
			out = append(out, r)
			return nil
		}
		fields, err := csvFields(record)
		for _, f := range fields {
			r.fields = append(r.fields, string(f))
		}
		out = append(out, r)
		return err
	})
	return out, err
}

// labelJSON reads lines of objects with a label, and maybe a file.
func labelJSON(where string, b []byte) (labelEntries, error) {
	var e labelEntries
	_, err := newRecordIndex(where, b, 0, lineRecord, func(line int, record []byte) error {
		fields, err := jsonObject(record)
		if err != nil {
			return err
		}
		n := len(e)
		if err := e.addJSON(line, fields, nil); err != nil {
			return err
		}
		if len(e) == n {
			return diag.Usagef("the line has no %q", labelNames[2])
		}
		for _, name := range fileColumns {
			if v, ok := fields[name]; ok {
				return json.Unmarshal(v, &e[n].file)
			}
		}
		return nil
	})
	return e, err
}

// ReadClassNames reads the names of classes, one a line.
func ReadClassNames(path string) ([]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var names []string
	at := map[string]int{}
	for i, line := range strings.Split(strings.TrimRight(string(bytes.TrimPrefix(b, utf8Mark)), "\r\n"), "\n") {
		name := strings.TrimSpace(line)
		if name == "" {
			return nil, diag.Usagef("%s:%d: a class without a name", path, i+1)
		}
		if first, twice := at[name]; twice {
			return nil, diag.Usagef("%s:%d: class %q stands in line %d already", path, i+1, name, first)
		}
		at[name] = i + 1
		names = append(names, name)
	}
	return names, nil
}
