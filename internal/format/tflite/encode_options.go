package tflite

import (
	"fmt"
	"reflect"

	"github.com/octavo-ml/octavo/internal/wire/flatbuf"
)

// writeOptions returns the table of the struct that o is. Fields that have
// their default are left out.
func writeOptions(o any) flatbuf.Part {
	var t flatbuf.Fields
	v := reflect.ValueOf(o)
	for i := range v.NumField() {
		slot, def := slotOf(v.Type().Field(i))
		switch f := v.Field(i); f.Kind() {
		case reflect.Uint8:
			if n := byte(f.Uint()); n != byte(def) {
				t.Byte(slot, n)
			}
		case reflect.Bool:
			if f.Bool() != (def != 0) {
				t.Bool(slot, f.Bool())
			}
		case reflect.Int32:
			if n := int32(f.Int()); n != int32(def) {
				t.Int32(slot, n)
			}
		case reflect.Float32:
			if x := float32(f.Float()); x != float32(def) {
				t.Float32(slot, x)
			}
		case reflect.String:
			t.Part(slot, flatbuf.String(f.String()))
		case reflect.Slice:
			list := make([]int32, f.Len())
			for k := range list {
				list[k] = int32(f.Index(k).Int())
			}
			t.Part(slot, flatbuf.Numbers(list))
		default:
			panic(fmt.Sprintf("tflite: options with a field of type %s", f.Type()))
		}
	}
	return &t
}
