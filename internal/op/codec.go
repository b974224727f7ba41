package op

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// Opt is an attribute whose absence means something else than its default.
type Opt[T any] struct {
	Value T
	Set   bool
}

// Some returns a set Opt.
func Some[T any](v T) Opt[T] { return Opt[T]{v, true} }

// Attr is an attribute by name. Value is an int64, float32, string, []int64,
// []float32, []string or *tensor.Tensor.
type Attr struct {
	Name  string
	Value any
}

// New returns an operator with its attributes at their defaults. T is the
// operator's struct: op.New[op.Conv]().
func New[T any]() *T {
	p := new(T)
	setDefaults(reflect.ValueOf(p).Elem())
	return p
}

// field is one attribute of an operator's struct.
type field struct {
	value    reflect.Value
	name     string
	fallback string
	hasDef   bool
	required bool // written even where it is zero
	optional bool // an Opt
}

// fields lists the attributes of a struct: those with an attr tag
// ("alpha,default=1", or "axis,required" for one without a default that may be
// zero). Supported Go types: bool, int, int64, float32, string,
// []int, []int64, []float32, []string, *tensor.Tensor, dtype.Type, small named
// enumerations (uint8), and Opt of them. A name that starts with a dot, such as
// ".layout", is the project's own: no file format has it.
func fields(v reflect.Value) []field {
	list := tagged(v.Type())
	out := make([]field, len(list))
	for i, f := range list {
		out[i] = f.field
		out[i].value = v.Field(f.index)
	}
	return out
}

// fieldOf is a field of a type: what its tag says, without a value.
type fieldOf struct {
	index int
	field
}

// fieldsOf holds the lists that were read already, by type.
var fieldsOf sync.Map

// tagged returns the fields of a struct type that are attributes.
func tagged(t reflect.Type) []fieldOf {
	if list, ok := fieldsOf.Load(t); ok {
		return list.([]fieldOf)
	}
	var out []fieldOf
	for i := range t.NumField() {
		tag, ok := t.Field(i).Tag.Lookup("attr")
		if !ok {
			continue
		}
		name, rest, _ := strings.Cut(tag, ",")
		def, has := strings.CutPrefix(rest, "default=")
		f := field{name: name, fallback: def, hasDef: has, required: rest == "required"}
		ft := t.Field(i).Type
		f.optional = ft.Kind() == reflect.Struct && ft.NumField() == 2 && ft.Field(1).Name == "Set"
		out = append(out, fieldOf{i, f})
	}
	fieldsOf.Store(t, out)
	return out
}

func setDefaults(v reflect.Value) {
	for _, f := range fields(v) {
		if !f.hasDef {
			continue
		}
		if err := parseInto(f.value, f.fallback); err != nil {
			panic(fmt.Sprintf("op: %s: default of %s: %v", v.Type(), f.name, err))
		}
	}
}

func parseInto(v reflect.Value, s string) error {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(s == "1")
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(s, 10, 64)
		v.SetInt(n)
		return err
	case reflect.Float32:
		f, err := strconv.ParseFloat(s, 32)
		v.SetFloat(f)
		return err
	case reflect.String:
		v.SetString(s)
	case reflect.Uint8:
		if v.Type() != reflect.TypeFor[dtype.Type]() {
			n, err := strconv.ParseUint(s, 10, 8)
			v.SetUint(n)
			return err
		}
		t, err := dtype.Parse(s)
		v.SetUint(uint64(t))
		return err
	default:
		return fmt.Errorf("no default for kind %v", v.Kind())
	}
	return nil
}

// Attrs returns the attributes of o in the order of its fields, leaving out
// those at their default, unset Opts, and empty lists and tensors without one.
// Element types are given by name.
func Attrs(o Op) []Attr {
	if c, ok := o.(*Custom); ok {
		return c.Attrs
	}
	v := reflect.ValueOf(o).Elem()
	def := reflect.New(v.Type()).Elem()
	setDefaults(def)
	defs := fields(def)
	var out []Attr
	for i, f := range fields(v) {
		val := f.value
		if f.optional {
			if !val.Field(1).Bool() {
				continue
			}
			val = val.Field(0)
		} else if !f.required && reflect.DeepEqual(val.Interface(), defs[i].value.Interface()) {
			continue
		}
		out = append(out, Attr{f.name, export(val)})
	}
	return out
}

// AttrOf returns the attribute of o with that name, which may be at its default,
// as Attrs gives it; nil where o has no such attribute, or it is an unset Opt.
func AttrOf(o Op, name string) any {
	if c, ok := o.(*Custom); ok {
		for _, a := range c.Attrs {
			if a.Name == name {
				return a.Value
			}
		}
		return nil
	}
	for _, f := range fields(reflect.ValueOf(o).Elem()) {
		switch {
		case f.name != name:
		case !f.optional:
			return export(f.value)
		case f.value.Field(1).Bool():
			return export(f.value.Field(0))
		}
	}
	return nil
}

func export(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case dtype.Type:
		return x.String()
	case *tensor.Tensor:
		return x
	}
	switch v.Kind() {
	case reflect.Bool:
		return int64(b2i(v.Bool()))
	case reflect.Int, reflect.Int64:
		return v.Int()
	case reflect.Uint8:
		return int64(v.Uint())
	case reflect.Float32:
		return float32(v.Float())
	case reflect.String:
		return v.String()
	case reflect.Slice:
		switch x := v.Interface().(type) {
		case []int:
			out := make([]int64, len(x))
			for i, n := range x {
				out[i] = int64(n)
			}
			return out
		case []int64, []float32, []string:
			return x
		}
	}
	panic(fmt.Sprintf("op: attribute of type %v", v.Type()))
}

// SetAttrs sets attributes of o by name and returns those it does not have.
// An attribute of the wrong kind is an error that names it.
func SetAttrs(o Op, attrs []Attr) (unknown []Attr, err error) {
	if c, ok := o.(*Custom); ok {
		c.Attrs = attrs
		return nil, nil
	}
	fs := fields(reflect.ValueOf(o).Elem())
	for _, a := range attrs {
		found := false
		for _, f := range fs {
			if f.name != a.Name {
				continue
			}
			found = true
			dst := f.value
			if f.optional {
				dst.Field(1).SetBool(true)
				dst = dst.Field(0)
			}
			if err := assign(dst, a.Value); err != nil {
				return nil, fmt.Errorf("attribute %q: %w", a.Name, err)
			}
		}
		if !found {
			unknown = append(unknown, a)
		}
	}
	return unknown, nil
}

func assign(dst reflect.Value, val any) error {
	bad := func() error { return fmt.Errorf("got %T, want %v", val, dst.Type()) }
	switch x := val.(type) {
	case int64:
		switch dst.Kind() {
		case reflect.Bool:
			dst.SetBool(x != 0)
		case reflect.Int, reflect.Int64:
			dst.SetInt(x)
		case reflect.Uint8:
			if dst.Type() == reflect.TypeFor[dtype.Type]() || x < 0 || x > 255 {
				return bad()
			}
			dst.SetUint(uint64(x))
		default:
			return bad()
		}
	case float32:
		if dst.Kind() != reflect.Float32 {
			return bad()
		}
		dst.SetFloat(float64(x))
	case string:
		if dst.Type() == reflect.TypeFor[dtype.Type]() {
			t, err := dtype.Parse(x)
			if err != nil {
				return err
			}
			dst.SetUint(uint64(t))
			return nil
		}
		if dst.Kind() != reflect.String {
			return bad()
		}
		dst.SetString(x)
	case []int64:
		switch dst.Type() {
		case reflect.TypeFor[[]int]():
			out := make([]int, len(x))
			for i, n := range x {
				out[i] = int(n)
			}
			dst.Set(reflect.ValueOf(out))
		case reflect.TypeFor[[]int64]():
			dst.Set(reflect.ValueOf(x))
		default:
			return bad()
		}
	default:
		if val == nil || !reflect.TypeOf(val).AssignableTo(dst.Type()) {
			return bad()
		}
		dst.Set(reflect.ValueOf(val))
	}
	return nil
}

// HoldsType reports whether the named attribute of o is an element type, which
// formats write as a number of their own.
func HoldsType(o Op, name string) bool {
	if _, ok := o.(*Custom); ok {
		return false
	}
	for _, f := range fields(reflect.ValueOf(o).Elem()) {
		if f.name == name {
			t := f.value.Type()
			return t == reflect.TypeFor[dtype.Type]() || t == reflect.TypeFor[Opt[dtype.Type]]()
		}
	}
	return false
}
