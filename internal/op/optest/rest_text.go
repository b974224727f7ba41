package optest

import (
	"math"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/op"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// stringsOf returns strings of a shape.
func stringsOf(shape []int, s ...string) *tensor.Tensor {
	t, err := tensor.FromStrings(s, shape...)
	if err != nil {
		panic(err)
	}
	return t
}

func stringCases() []Case {
	split := func(name string, set func(*op.StringSplit), x, want *tensor.Tensor, counts ...int64) Case {
		return Case{"StringSplit/" + name, with(set), these(x), these(want, tensor.FromSlice(counts, x.Shape()...)), 0}
	}
	days := texts("monday", "tuesday", "Wednesday", "monday")
	normal := func(name, change string, sensitive bool, stop []string, x, want *tensor.Tensor) Case {
		return Case{"StringNormalizer/" + name, with(func(o *op.StringNormalizer) {
			o.CaseChangeAction, o.IsCaseSensitive, o.Stopwords = change, sensitive, stop
		}), these(x), these(want), 0}
	}
	cast := func(name string, to dtype.Type, x, want *tensor.Tensor) Case {
		return Case{"Cast/" + name, with(func(o *op.Cast) { o.To = to }), these(x), these(want), 0}
	}
	inf := math.Inf(1)
	return []Case{
		{"StringConcat/broadcast", &op.StringConcat{}, these(stringsOf(dims(2, 1), "a", "b"), texts("x", "")), these(stringsOf(dims(2, 2), "ax", "a", "bx", "b")), 0},
		{"Equal/strings", &op.Equal{}, these(texts("a", "b"), texts("a", "B")), these(vec(true, false)), 0},
		{"Equal/stringsBroadcast", &op.Equal{}, these(stringsOf(dims(2, 1), "a", "b"), texts("b")), these(ten(dims(2, 1), false, true)), 0},
		{"RegexFullMatch/whole", with(func(o *op.RegexFullMatch) { o.Pattern = `www\.[\w.-]+|x` }),
			these(texts("www.google.com", "www.", "xx", "x")), these(vec(true, false, false, true)), 0},
		split("delimiter", func(o *op.StringSplit) { o.Delimiter = "-" }, texts("o-n--x-", "", "a"),
			stringsOf(dims(3, 5), "o", "n", "", "x", "", "", "", "", "", "", "a", "", "", "", ""), 5, 1, 1),
		split("space", func(*op.StringSplit) {}, texts(" a  b\t", " "), stringsOf(dims(2, 2), "a", "b", "", ""), 2, 0),
		split("limit", func(o *op.StringSplit) { o.Maxsplit = op.Some(1) }, stringsOf(dims(1, 2), "a b  c ", "d"),
			stringsOf(dims(1, 2, 2), "a", "b  c ", "d", ""), 2, 1),
		split("delimiterAndLimit", func(o *op.StringSplit) { o.Delimiter, o.Maxsplit = ",", op.Some(1) }, texts("1,2,3"), stringsOf(dims(1, 2), "1", "2,3"), 2),
		split("noCut", func(o *op.StringSplit) { o.Delimiter, o.Maxsplit = ",", op.Some(0) }, texts("1,2"), stringsOf(dims(1, 1), "1,2"), 1),
		split("nothing", func(*op.StringSplit) {}, stringsOf(dims(0)), stringsOf(dims(0, 0))),
		normal("unchanged", "NONE", true, []string{"Monday"}, days, days),
		normal("lower", "LOWER", true, []string{"monday"}, days, texts("tuesday", "wednesday")),
		normal("upper", "UPPER", false, []string{"WEDNESDAY"}, stringsOf(dims(1, 2), "Wednesday", "m\u00e4rz"), stringsOf(dims(1, 1), "M\u00c4RZ")),
		normal("nothingLeft", "NONE", false, []string{"monday"}, stringsOf(dims(1, 2), "monday", "Monday"), stringsOf(dims(1, 1), "")),
		cast("fromStrings", dtype.Float32, texts("3.5", " -1e-2", "+INF", "nan", "-inf"),
			vec(float32(3.5), -0.01, float32(inf), float32(math.NaN()), float32(-inf))),
		cast("fromStringsToIntegers", dtype.Int16, texts("100.5", "-7", "65537"), vec[int16](100, -7, 1)),
		cast("fromStringsToUint64", dtype.Uint64, texts("18446744073709551615"), vec[uint64](math.MaxUint64)),
		cast("fromStringsToBool", dtype.Bool, texts("True", "0", "2"), vec(true, false, true)),
		cast("toStrings", dtype.String, vec(float32(314.15926), 0.1, -2, float32(inf), float32(math.NaN())), texts("314.15927", "0.1", "-2", "INF", "NaN")),
		cast("integersToStrings", dtype.String, vec[int8](-128, 7), texts("-128", "7")),
		cast("boolToStrings", dtype.String, vec(true, false), texts("True", "False")),
	}
}

// gramCases: two pairs and three single members, or four single members and
// three pairs as in the cases of ONNX.
func gramCases() []Case {
	rows := ten(dims(2, 6), int64(1), 1, 3, 3, 3, 7, 8, 6, 7, 5, 6, 8)
	grams := func(name string, min, skip int, set func(*op.TfIdfVectorizer), x, want *tensor.Tensor) Case {
		return Case{"TfIdfVectorizer/" + name, with(func(o *op.TfIdfVectorizer) {
			o.Mode, o.MinGramLength, o.MaxGramLength, o.MaxSkipCount = "TF", min, 2, skip
			o.NgramCounts, o.NgramIndexes = dims(0, 4), dims(0, 1, 2, 3, 4, 5, 6)
			o.PoolInt64s = []int64{2, 3, 5, 4, 5, 6, 7, 8, 6, 7}
			set(o)
		}), these(x), these(want), 0}
	}
	plain := func(*op.TfIdfVectorizer) {}
	words := func(o *op.TfIdfVectorizer) {
		o.PoolInt64s, o.PoolStrings = nil, []string{"a", "b", "a", "b"}
		o.NgramCounts, o.NgramIndexes, o.Weights = dims(0, 2), dims(2, 0, 1), []float32{10, 20, 30}
	}
	return []Case{
		grams("pairs", 2, 0, plain, rows, ten(dims(2, 7), float32(0), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1)),
		grams("pairsApart", 2, 5, plain, rows, ten(dims(2, 7), float32(0), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1)),
		grams("both", 1, 5, plain, rows, ten(dims(2, 7), float32(0), 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1)),
		grams("vector", 1, 0, plain, vec[int32](5, 6, 6), vec(float32(0), 0, 1, 0, 1, 0, 0)),
		grams("words", 1, 0, words, texts("a", "b", "a", "a"), vec(float32(1), 1, 3)),
		grams("weights", 1, 0, func(o *op.TfIdfVectorizer) { words(o); o.Mode = "TFIDF" }, texts("a", "b", "a", "a"), vec(float32(20), 30, 30)),
		grams("occurrence", 1, 0, func(o *op.TfIdfVectorizer) { words(o); o.Mode = "IDF" }, texts("a", "b", "a", "a"), vec(float32(20), 30, 10)),
		grams("nothing", 2, 0, plain, ten[int64](dims(1, 0)), ten(dims(1, 7), float32(0), 0, 0, 0, 0, 0, 0)),
	}
}
