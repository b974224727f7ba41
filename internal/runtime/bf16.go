package runtime

import (
	"slices"
	"unsafe"

	"github.com/octavo-ml/octavo/internal/dtype"
	"github.com/octavo-ml/octavo/internal/ir"
	"github.com/octavo-ml/octavo/internal/kernels/conv"
	"github.com/octavo-ml/octavo/internal/kernels/gemm"
	"github.com/octavo-ml/octavo/internal/tensor"
)

// HasBF16 reports whether this machine has instructions for Options.BFloat16.
func HasBF16() bool { return gemm.HasBF16() }

// shortened is what a plan in bfloat16 knows of its values.
type shortened struct {
	// of is the value that holds another one rounded.
	of map[int]int
	// sums are the values that steps write as bfloat16 or float32, as the type
	// of the value says when the plan is complete, with what is added to each,
	// which is of its type, or -1.
	sums map[int]int
}

// floating is the type in which convolutions of floats multiply.
func (pl *plan) floating() conv.Element {
	if pl.p.bf16 {
		return conv.BFloat16
	}
	return conv.Float32
}

// rounded returns the value that holds value v, of float32, as bfloat16, for a
// product that computes node n. A step before that of the product rounds it,
// once for all products.
func (pl *plan) rounded(v int, n *ir.Node) int {
	if r, ok := pl.short.of[v]; ok {
		return r
	}
	const each = 2 // what an element costs, in multiply-adds
	r, from := len(pl.values), pl.values[v]
	pl.values = append(pl.values, planned{
		name: from.name, typ: dtype.BFloat16, shape: from.dims(), offset: placeInArena, given: true, alias: -1, over: -1,
	})
	if pl.short.of == nil {
		pl.short.of = map[int]int{}
	}
	pl.short.of[v] = r
	s := step{node: n, in: []int{v}, out: []int{r}}
	count, _ := tensor.Count(from.dims())
	s.share(count, each*count, func(f *frame, s *step, _, lo, hi int) {
		gemm.RoundBF16(tensor.Data[uint16](f.out(s))[lo:hi], tensor.Data[float32](f.vals[s.in[0]])[lo:hi])
	})
	pl.add(s)
	return r
}

// mayShorten notes that a step writes value v as bfloat16 or float32, and adds
// another value of that type to it, if added is not -1.
func (pl *plan) mayShorten(v, added int) {
	if pl.short.sums == nil {
		pl.short.sums = map[int]int{}
	}
	pl.short.sums[v] = added
}

// convolveBF16 is convolve in bfloat16; what is added, if anything, is input
// other of the step, else other is -1.
func (pl *plan) convolveBF16(s *step, key *ir.Node, k *conv.Plan, bias []float32, b bounds, other int) {
	w := pl.values[s.in[1]].fixed
	packed := pl.packs(key).getBF16(key, "rows of bfloat16", k.WeightBF16(), func(dst []uint16) {
		src := tensor.Data[float32](w)
		pl.inParts(k.Packs(), len(src), func(lo, hi int) { k.PackBF16Parts(dst, src, lo, hi) })
		w.Release()
	})
	s.in = slices.Clone(s.in)
	s.in[0] = pl.rounded(s.in[0], s.node)
	added := -1
	if other >= 0 {
		added = s.in[other]
	}
	pl.mayShorten(s.out[0], added)
	ends := k.FloatEnds(bias, b.on, b.lo, b.hi)
	size := k.ScratchLen()
	bytes := (2*size + alignment - 1) &^ (alignment - 1)
	pl.scratch = max(pl.scratch, bytes*pl.p.threads)
	s.share(k.Blocks(), k.Cost()/bf16AtOnce, func(f *frame, s *step, slot, lo, hi int) {
		xs, y, scratch := tensor.Data[uint16](f.vals[s.in[0]]), f.out(s), shorts(f.bytes(slot, bytes), size)
		if y.Type() == dtype.BFloat16 {
			conv.RunBF16(k, tensor.Data[uint16](y), addend[uint16](f, s, other), xs, packed, ends, lo, hi, scratch)
			return
		}
		conv.RunBF16(k, tensor.Data[float32](y), addend[float32](f, s, other), xs, packed, ends, lo, hi, scratch)
	})
}

// bf16AtOnce is how many products of bfloat16 take as long as one of floats.
const bf16AtOnce = 2

// addend returns input i of a step, nothing where i is -1.
func addend[T float32 | uint16](f *frame, s *step, i int) []T {
	if i < 0 {
		return nil
	}
	return tensor.Data[T](f.vals[s.in[i]])
}

// shorts returns bytes as n elements of two bytes.
func shorts(b []byte, n int) []uint16 {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// shorten makes values bfloat16 that products write and only products read:
// what would be rounded when it is read is so when it is written, once.
func (pl *plan) shorten() {
	set := map[int]bool{}
	for v := range pl.short.sums {
		if pv := &pl.values[v]; !pv.output && !pv.watch && pv.offset == placeInArena && pv.alias < 0 {
			set[v] = true
		}
	}
	drop := func(v int) bool {
		was := set[v]
		delete(set, v)
		return was
	}
	for changed := true; changed; {
		changed = false
		for i := range pl.steps {
			s := &pl.steps[i]
			// A step that rounds may read any of them, a sum what it adds.
			if len(s.out) == 1 && len(s.in) == 1 && pl.short.of[s.in[0]] == s.out[0] {
				continue
			}
			added, sums := -1, false
			if len(s.out) == 1 && s.out[0] >= 0 {
				added, sums = pl.short.sums[s.out[0]]
			}
			both := sums && added >= 0 && set[added] && set[s.out[0]]
			for _, v := range s.in {
				if v >= 0 && set[v] && !(both && v == added) {
					changed = drop(v) || changed
				}
			}
			if sums && added >= 0 && !both {
				changed = drop(s.out[0]) || changed
			}
		}
	}
	pl.steps = slices.DeleteFunc(pl.steps, func(s step) bool {
		return len(s.in) == 1 && len(s.out) == 1 && set[s.in[0]] && pl.short.of[s.in[0]] == s.out[0]
	})
	instead := map[int]int{}
	for v := range set {
		if pl.values[v].typ = dtype.BFloat16; pl.short.of[v] > 0 {
			instead[pl.short.of[v]] = v
		}
	}
	for i := range pl.steps {
		for j, v := range pl.steps[i].in {
			if to, ok := instead[v]; ok {
				pl.steps[i].in[j] = to
			}
		}
	}
}
