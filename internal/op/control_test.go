package op

import (
	"errors"
	"strings"
	"testing"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// TestLoopThatNeverEnds: the error says how often bodies may run, and loops in
// one evaluation share the count.
func TestLoopThatNeverEnds(t *testing.T) {
	yes := tensor.FromInts(dtype.Bool, []int64{1})
	flag := TensorFact(dtype.Bool, Known())
	trips := 0
	body := Body{
		In: []Fact{TensorFact(dtype.Int64, Known()), flag}, Out: []Fact{flag},
		Run: func([]Datum) ([]Datum, error) { trips++; return Of(yes), nil },
	}
	budget := &Budget{}
	b := Bodies{List: []Body{body}, Budget: budget}
	_, err := New[Loop]().EvalBodies(make([]Datum, 2), b)
	if !errors.Is(err, ErrTrips) || !strings.Contains(err.Error(), "1000000 times") || trips != maxTrips {
		t.Errorf("after %d trips: %v", trips, err)
	}
	if _, err := New[Loop]().EvalBodies(make([]Datum, 2), b); !errors.Is(err, ErrTrips) || trips != maxTrips {
		t.Errorf("another loop makes trip %d: %v", trips, err)
	}
	// One whose count is given ends by itself.
	out, err := New[Loop]().EvalBodies(Of(tensor.Scalar[int64](3), nil), Bodies{List: []Body{body}, Budget: &Budget{}})
	if err != nil || len(out) != 0 || trips != maxTrips+3 {
		t.Errorf("a loop of 3: %d trips, %v, %v", trips-maxTrips, out, err)
	}
}

// TestJoinOfAnOptionalWithWhatItHolds is the optional.
func TestJoinOfAnOptionalWithWhatItHolds(t *testing.T) {
	seq := Fact{Kind: SequenceKind, Elem: &Fact{Type: dtype.Float32, Shape: OfRank(1)}}
	got, err := Join(Fact{Kind: OptionalKind, Elem: &seq}, seq)
	if err != nil || got.Kind != OptionalKind || got.Elem == nil || !sameFact(*got.Elem, seq) {
		t.Errorf("got %v, %v", got, err)
	}
}
