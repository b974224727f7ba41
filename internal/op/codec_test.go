package op_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

type color uint8

// every has an attribute of each kind.
type every struct {
	Flag     bool               `attr:"flag,default=1"`
	Count    int                `attr:"count,default=3"`
	Long     int64              `attr:"long"`
	Ratio    float32            `attr:"ratio,default=0.1"`
	Mode     string             `attr:"mode,default=none"`
	Type     dtype.Type         `attr:"type,default=float32"`
	Color    color              `attr:".color,default=2"`
	Axis     int                `attr:"axis,required"`
	Ints     []int              `attr:"ints"`
	Longs    []int64            `attr:"longs"`
	Ratios   []float32          `attr:"ratios"`
	Words    []string           `attr:"words"`
	Value    *tensor.Tensor     `attr:"value"`
	Maybe    op.Opt[int]        `attr:"maybe"`
	MaybeInt op.Opt[[]int]      `attr:"maybe_ints"`
	MaybeOf  op.Opt[dtype.Type] `attr:"maybe_type"`
	Plain    int
}

func (*every) Name() string                                    { return "Every" }
func (*every) Infer(in []op.Fact, outs int) ([]op.Fact, error) { return in, nil }

func TestNewAppliesDefaults(t *testing.T) {
	o := op.New[every]()
	want := every{Flag: true, Count: 3, Ratio: 0.1, Mode: "none", Type: dtype.Float32, Color: 2}
	if diff := cmp.Diff(&want, o); diff != "" {
		t.Error(diff)
	}
	// A required attribute is written though it is at its default.
	if diff := cmp.Diff([]op.Attr{{Name: "axis", Value: int64(0)}}, op.Attrs(o)); diff != "" {
		t.Error(diff)
	}
}

func TestAttributesComeBack(t *testing.T) {
	value := tensor.FromSlice([]float32{1}, 1)
	o := op.New[every]()
	o.Flag, o.Count, o.Long, o.Ratio, o.Mode, o.Type, o.Color, o.Axis = false, -1, 1<<40, 2, "x", dtype.Int4, 0, 7
	o.Ints, o.Longs, o.Ratios, o.Words, o.Value = []int{1, -2}, []int64{3}, []float32{0.5}, []string{"a", ""}, value
	o.Maybe, o.MaybeInt, o.MaybeOf = op.Some(0), op.Some([]int{}), op.Some(dtype.Bool)
	want := []op.Attr{
		{"flag", int64(0)}, {"count", int64(-1)}, {"long", int64(1 << 40)}, {"ratio", float32(2)}, {"mode", "x"},
		{"type", "int4"}, {".color", int64(0)}, {"axis", int64(7)}, {"ints", []int64{1, -2}}, {"longs", []int64{3}},
		{"ratios", []float32{0.5}}, {"words", []string{"a", ""}}, {"value", value}, {"maybe", int64(0)},
		{"maybe_ints", []int64{}}, {"maybe_type", "bool"},
	}
	attrs := op.Attrs(o)
	if diff := cmp.Diff(want, attrs, cmp.Comparer(tensor.Equal)); diff != "" {
		t.Error(diff)
	}
	back := op.New[every]()
	if unknown, err := op.SetAttrs(back, attrs); err != nil || len(unknown) > 0 {
		t.Fatalf("got %v, %v", unknown, err)
	}
	if diff := cmp.Diff(o, back, cmp.Comparer(tensor.Equal)); diff != "" {
		t.Error(diff)
	}
}

func TestSetAttrsRefuses(t *testing.T) {
	for _, a := range []op.Attr{
		{"flag", "yes"}, {"flag", float32(1)}, {"count", float32(1)}, {"ratio", int64(1)}, {"ratio", []float32{1}},
		{"mode", int64(1)}, {"mode", []string{"x"}}, {"type", int64(1)}, {"type", "float99"}, {".color", int64(256)},
		{".color", int64(-1)}, {"ints", int64(1)}, {"ints", []float32{1}}, {"ratios", []int64{1}}, {"value", []int64{1}},
		{"words", nil}, {"value", "x"}, {"maybe", "x"}, {"maybe_ints", int64(1)},
	} {
		_, err := op.SetAttrs(op.New[every](), []op.Attr{a})
		if err == nil || !strings.Contains(err.Error(), `"`+a.Name+`"`) {
			t.Errorf("%v: got %v, want an error that names the attribute", a, err)
		}
	}
	unknown, err := op.SetAttrs(op.New[every](), []op.Attr{{"nothing", int64(1)}, {"count", int64(1)}, {"Plain", int64(1)}})
	if diff := cmp.Diff([]op.Attr{{"nothing", int64(1)}, {"Plain", int64(1)}}, unknown); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestHoldsType(t *testing.T) {
	for name, want := range map[string]bool{"type": true, "maybe_type": true, "mode": false, "nothing": false, ".color": false} {
		if got := op.HoldsType(op.New[every](), name); got != want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestCustomKeepsItsAttributes(t *testing.T) {
	attrs := []op.Attr{{"z", int64(1)}, {"a", "x"}}
	c := &op.Custom{Domain: "acme", Type: "F"}
	if unknown, err := op.SetAttrs(c, attrs); err != nil || unknown != nil || c.Name() != "acme::F" {
		t.Errorf("%s: got %v, %v", c.Name(), unknown, err)
	}
	if diff := cmp.Diff(attrs, op.Attrs(c)); diff != "" || op.HoldsType(c, "z") {
		t.Error(diff)
	}
	if out, err := c.Infer(nil, 3); err != nil || len(out) != 3 {
		t.Errorf("got %v, %v", out, err)
	}
}

// TestCatalogueComesBack sends every operator with random attributes through
// names and values.
func TestCatalogueComesBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, e := range op.Table() {
		if attrs := op.Attrs(e.New()); e.New().Name() != e.Name || !onlyRequired(e.New(), attrs) {
			t.Errorf("%s: a new one is %s with %v", e.Name, e.New().Name(), attrs)
		}
		for range 50 {
			o := e.New()
			strange(rng, o)
			attrs, back := op.Attrs(o), e.New()
			if slices.ContainsFunc(attrs, func(a op.Attr) bool { return a.Value == any(dtype.Invalid.String()) }) {
				continue // no format has a name for it
			}
			if unknown, err := op.SetAttrs(back, attrs); err != nil || len(unknown) > 0 {
				t.Fatalf("%s: %v: %v, %v", e.Name, attrs, unknown, err)
			}
			if diff := cmp.Diff(attrs, op.Attrs(back), cmp.Comparer(tensor.Equal), cmpopts.EquateNaNs()); diff != "" {
				t.Fatalf("%s: %s", e.Name, diff)
			}
		}
	}
}

// onlyRequired reports whether all attributes have a tag that wants them
// written always.
func onlyRequired(o op.Op, attrs []op.Attr) bool {
	required := map[string]bool{}
	typ := reflect.TypeOf(o).Elem()
	for i := range typ.NumField() {
		name, rest, _ := strings.Cut(typ.Field(i).Tag.Get("attr"), ",")
		required[name] = rest == "required"
	}
	for _, a := range attrs {
		if !required[a.Name] {
			return false
		}
	}
	return true
}
