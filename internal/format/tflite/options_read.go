package tflite

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/octavo-ml/octavo/internal/wire/flatbuf"
)

// slotOf reads the tag of a field of an options struct.
func slotOf(f reflect.StructField) (slot int, def float64) {
	tag, rest, _ := strings.Cut(f.Tag.Get("fb"), ",")
	slot, err := strconv.Atoi(tag)
	if err == nil && rest != "" {
		def, err = strconv.ParseFloat(rest, 64)
	}
	if err != nil {
		panic(fmt.Sprintf("tflite: tag of %s: %v", f.Name, err))
	}
	return slot, def
}

// readOptions fills the struct that o points to from a table, which may be
// absent: every field has its default then.
func readOptions(t flatbuf.Table, o any) {
	v := reflect.ValueOf(o).Elem()
	for i := range v.NumField() {
		slot, def := slotOf(v.Type().Field(i))
		switch f := v.Field(i); f.Kind() {
		case reflect.Uint8:
			f.SetUint(uint64(t.Byte(slot, byte(def))))
		case reflect.Bool:
			f.SetBool(t.Bool(slot, def != 0))
		case reflect.Int32:
			f.SetInt(int64(t.Int32(slot, int32(def))))
		case reflect.Float32:
			f.SetFloat(float64(t.Float32(slot, float32(def))))
		case reflect.String:
			f.SetString(t.String(slot))
		case reflect.Slice:
			f.Set(reflect.ValueOf(t.Vector(slot, 4).Ints()))
		default:
			panic(fmt.Sprintf("tflite: options with a field of type %s", f.Type()))
		}
	}
}

// optionsOf reads the options of an operator.
func optionsOf[T any](o *operator) T {
	var v T
	readOptions(o.options, &v)
	return v
}
