package calibrate

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/octavo-ml/octavo/internal/quant/observe"
	"github.com/octavo-ml/octavo/internal/runtime"
)

// Digest identifies a sample by its content.
type Digest [sha256.Size]byte

// State is how far a run has come: the statistics of the samples that are done.
type State struct {
	Stats map[string]*observe.Stats
	Done  map[int]Digest
}

// ErrStale says that a sample of a State is not the one that is there now.
var ErrStale = errors.New("the samples are others than those that were seen before")

// newState returns the state before the first sample.
func newState(watched []string, histogram bool) *State {
	s := &State{map[string]*observe.Stats{}, map[int]Digest{}}
	for _, name := range watched {
		s.Stats[name] = observe.New(histogram)
	}
	return s
}

// add takes in what another state has seen, of other samples.
func (s *State) add(o *State) {
	for name, more := range o.Stats {
		s.Stats[name].Merge(more)
	}
	maps.Copy(s.Done, o.Done)
}

// digestOf identifies the inputs of a sample.
func digestOf(in runtime.Tensors) Digest {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(in)) {
		fmt.Fprintf(h, "%q %v%v\n", name, in[name].Type(), in[name].Shape())
		h.Write(in[name].Bytes())
	}
	return Digest(h.Sum(nil))
}

const magic = "octavo calibration 1\n"

// Encode returns the bytes of a state; key names what it is of. Equal states
// give equal bytes.
func (s *State) Encode(key Digest) []byte {
	b := append([]byte(magic), key[:]...)
	b = binary.AppendUvarint(b, uint64(len(s.Done)))
	for _, i := range slices.Sorted(maps.Keys(s.Done)) {
		d := s.Done[i]
		b = append(binary.AppendUvarint(b, uint64(i)), d[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(s.Stats)))
	for _, name := range slices.Sorted(maps.Keys(s.Stats)) {
		b = append(binary.AppendUvarint(b, uint64(len(name))), name...)
		b = s.Stats[name].Append(b)
	}
	return Seal(b)
}

// Seal appends the checksum that Decode looks for.
func Seal(b []byte) []byte {
	sum := sha256.Sum256(b)
	return append(b[:len(b):len(b)], sum[:]...)
}

var errBroken = errors.New("it is broken")

// Decode reads the bytes of a state of key.
func Decode(b []byte, key Digest) (*State, error) {
	end := len(b) - sha256.Size
	if end < len(magic)+len(key) || !bytes.HasPrefix(b, []byte(magic)) {
		return nil, errBroken
	}
	if sha256.Sum256(b[:end]) != Digest(b[end:]) {
		return nil, errBroken
	}
	if b = b[len(magic):end]; Digest(b[:len(key)]) != key {
		return nil, errors.New("it is of another model")
	}
	b = b[len(key):]
	uvarint := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			b = nil
			return math.MaxUint64
		}
		b = b[n:]
		return v
	}
	s := &State{map[string]*observe.Stats{}, map[int]Digest{}}
	n := uvarint()
	if n > uint64(len(b)/(1+sha256.Size)) {
		return nil, errBroken
	}
	for range n {
		i := uvarint()
		if i > math.MaxInt32 || len(b) < sha256.Size {
			return nil, errBroken
		}
		s.Done[int(i)] = Digest(b[:sha256.Size])
		b = b[sha256.Size:]
	}
	for range uvarint() {
		size := uvarint()
		if size > uint64(len(b)) {
			return nil, errBroken
		}
		name := string(b[:size])
		st, rest, err := observe.Decode(b[size:])
		if err != nil {
			return nil, errBroken
		}
		s.Stats[name], b = st, rest
	}
	if len(b) > 0 {
		return nil, errBroken
	}
	return s, nil
}

// fits reports whether a state has the statistics that are wanted.
func (s *State) fits(watched []string, histogram bool) bool {
	if len(s.Stats) != len(watched) {
		return false
	}
	for _, name := range watched {
		if st := s.Stats[name]; st == nil || st.HasHistogram() != histogram {
			return false
		}
	}
	return true
}
