package report

import (
	"encoding/xml"
	"io"

	"github.com/octavo-ml/octavo/internal/validate"
)

type suites struct {
	XMLName xml.Name `xml:"testsuites"`
	Suites  []suite  `xml:"testsuite"`
}

type suite struct {
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Cases    []testcase `xml:"testcase"`
	Out      string     `xml:"system-out,omitempty"`
}

type testcase struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	Failure *failure `xml:"failure"`
}

type failure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
}

// JUnit writes a test case for each gate, which fails where the gate is
// missed; without gates one for each candidate.
func JUnit(w io.Writer, v *validate.Verdict) error {
	s := suite{Name: "octavo validate"}
	for _, g := range v.Gates {
		c := testcase{Class: g.Candidate, Name: g.Name}
		if !g.Passed {
			c.Failure = &failure{g.Message, "gate"}
			s.Failures++
		}
		s.Cases = append(s.Cases, c)
	}
	if len(v.Gates) == 0 {
		for _, m := range v.Models[1:] {
			s.Cases = append(s.Cases, testcase{Class: "octavo validate", Name: m.Name})
		}
	}
	s.Tests = len(s.Cases)
	for _, line := range Conclusions(v) {
		s.Out += line + "\n"
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(suites{Suites: []suite{s}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
