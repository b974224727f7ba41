package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/internal/diag"
)

type quantizeFlags struct {
	out, mode, recipe             string
	only, keep, override          []string
	samples                       int
	target, weights, activations  string
	granularity, observer, parity string
	activationGranularity         string
	algorithms                    []string
	effort                        int
	symmetric, strict, force      bool
	reduceRange                   string
	form                          string
	opset                         string
	printRecipe                   bool
	ranges, saveRanges, cache     string
	existing, io, ioLayout        string
	dataFlags
	fixed    shapeFlags
	external externalFlag
	seed     uint64
}

func newQuantize(c *cli) *cobra.Command {
	f := &quantizeFlags{}
	cmd := &cobra.Command{
		Use:   "quantize MODEL",
		Short: "Make a quantized copy of a model",
		Example: `  octavo quantize model.onnx --data calib.npz
  octavo quantize model.onnx -o small.onnx --data calib/ --target tensorrt --keep op:Gemm`,
		Args: exactly(1, "one model"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.quantize(cmd, args[0], f) },
	}
	s := cmd.Flags()
	s.StringVarP(&f.out, "out", "o", "", "output file; its ending names the format (default: MODEL.int8.onnx beside the model)")
	s.StringVar(&f.mode, "mode", "auto", "what is quantized: "+strings.Join(octavo.Words("mode"), ", ")+"; auto is static, from --data; the others need none")
	f.add(s, "calibration samples, or random")
	s.Uint64Var(&f.seed, "seed", 0, "of --data random; the file records it")
	s.IntVar(&f.samples, "samples", octavo.DefaultSamples, "how many samples to use, spread evenly over the data; 0 is all")
	s.StringVar(&f.target, "target", octavo.DefaultTarget, "the runtime that the result is for, litert for .tflite: "+strings.Join(octavo.Targets(), ", "))
	s.StringVar(&f.weights, "weights", "", "type of weights (default: by target)")
	s.StringVar(&f.activations, "activations", "", "type of activations (default: by target)")
	s.BoolVar(&f.symmetric, "symmetric", false, "force the zero point of activations to the middle")
	s.StringVar(&f.granularity, "granularity", "", "of weights: channel, tensor, or group:N in mode weight-only (default: by target and type)")
	s.StringVar(&f.activationGranularity, "activation-granularity", "", "in mode dynamic, what of an activation has a range: "+strings.Join(octavo.Words("activations.granularity"), ", ")+" (default: tensor)")
	s.StringVar(&f.observer, "observer", "", "how ranges of activations are chosen: "+strings.Join(octavo.Observers(), ", ")+" (default: "+octavo.DefaultObserver+")")
	s.StringSliceVar(&f.algorithms, "algorithm", nil, "what wins accuracy back: "+strings.Join(octavo.Algorithms(), ", ")+", with commas between (default: by --effort); of weights in mode weight-only "+strings.Join(octavo.Words("weights.algorithm"), ", ")+" (default: rtn)")
	s.IntVar(&f.effort, "effort", 2, "how much is done for accuracy: 0 is plain rounding, 3 all there is")
	s.StringArrayVar(&f.only, "only", nil, "quantize only nodes that match this name glob or op:TYPE")
	s.StringArrayVar(&f.keep, "keep", nil, "leave nodes float that match this name glob or op:TYPE")
	s.StringArrayVar(&f.override, "override", nil, "PATTERN=WORD for some nodes; words: "+strings.Join(octavo.Words("overrides.precision"), ", "))
	s.StringVar(&f.parity, "parity", "", "onnxruntime: that tool's placement and ranges exactly")
	s.StringVar(&f.form, "onnx-form", "qdq", "qdq or qoperator; qdq, where given, writes DequantizeLinear for MatMulNBits too")
	s.StringVar(&f.opset, "opset", "keep", "ONNX opset to write, 13 to 25; keep is the input's, at least 13")
	s.StringVar(&f.reduceRange, "reduce-range", "off", "on: 7-bit weights, against int16 saturation on x86 without VNNI")
	s.StringVar(&f.io, "io", "float", "type of inputs and outputs: float, uint8, int8, ..., or in=uint8,out=float, or NAME=uint8")
	s.StringVar(&f.ioLayout, "io-layout", "keep", "layout of inputs and outputs: keep or channels-last, or in=, out=, NAME= as --io")
	f.fixed.add(s)
	f.external.add(s)
	s.StringVar(&f.recipe, "recipe", "", "YAML file with all of the above; flags override it")
	s.BoolVar(&f.printRecipe, "print-recipe", false, "print the recipe that the flags make, and stop")
	s.StringVar(&f.existing, "existing", "error", "what becomes of a model that is quantized already: error, keep (its parameters, and the rest is quantized), or strip (back to floats, then quantized anew)")
	s.StringVar(&f.ranges, "ranges", "", "file of --save-ranges: quantize with its ranges, without data")
	s.StringVar(&f.saveRanges, "save-ranges", "", "write the ranges of activations to this file")
	s.StringVar(&f.cache, "cache", "", "folder that keeps what calibration has seen: a killed run goes on where it stopped")
	s.BoolVar(&f.strict, "strict", false, "exit 3 if anything stays float that was to be quantized: all but --keep, --only and --override PATTERN=float")
	s.BoolVar(&f.force, "force", false, "replace an output file that octavo did not write")
	return cmd
}

// recipeOf merges the recipe file and the flags that were given, for the model
// at path.
func (f *quantizeFlags) recipeOf(cmd *cobra.Command, path string) (*octavo.Recipe, error) {
	r := &octavo.Recipe{}
	if f.recipe != "" {
		var err error
		if r, err = readRecipe(f.recipe); err != nil {
			return nil, err
		}
	}
	given := cmd.Flags().Changed
	if given("preprocess") {
		r.Preprocess = octavo.RecipePreprocess(f.Preprocess.Name)
	}
	f.Preprocess.Name = string(r.Preprocess)
	set := func(name string, dst *string, v string) {
		if given(name) {
			*dst = v
		}
	}
	if given("data") {
		r.Data.Path = ""
		if len(f.Paths) == 1 {
			r.Data.Path = f.Paths[0]
		}
	}
	set("target", &r.Target, f.target)
	set("weights", &r.Weights.DType, f.weights)
	set("granularity", &r.Weights.Granularity, f.granularity)
	set("activations", &r.Activations.DType, f.activations)
	set("activation-granularity", &r.Activations.Granularity, f.activationGranularity)
	set("observer", &r.Activations.Observer, f.observer)
	set("parity", &r.Parity, f.parity)
	set("onnx-form", &r.OnnxForm, f.form)
	set("existing", &r.Existing, f.existing)
	set("io", &r.IO, f.io)
	set("io-layout", &r.IOLayout, f.ioLayout)
	if given("symmetric") {
		r.Activations.Symmetric = &f.symmetric
	}
	if given("effort") {
		r.Effort = &f.effort
	}
	if given("samples") {
		r.Data.Samples = f.samples
	}
	if given("seed") {
		r.Data.Seed = f.seed
	}
	if given("strict") {
		r.Strict = f.strict
	}
	if given("reduce-range") {
		if err := reduceRange.Check("--reduce-range", f.reduceRange); err != nil {
			return nil, err
		}
		r.ReduceRange = f.reduceRange == "on"
	}
	if given("mode") || r.Mode == "" {
		r.Mode = octavo.Mode(f.mode)
	}
	if given("algorithm") {
		if err := r.SetAlgorithms(f.algorithms); err != nil {
			return nil, err
		}
	}
	only, err := patternList("only", f.only)
	if err != nil {
		return nil, err
	}
	keep, err := patternList("keep", f.keep)
	if err != nil {
		return nil, err
	}
	r.Only, r.Keep = append(r.Only, only...), append(r.Keep, keep...)
	for _, o := range f.override {
		pattern, precision, ok := strings.Cut(o, "=")
		if !ok {
			return nil, diag.Usagef("--override %q: want PATTERN=PRECISION", o)
		}
		r.Overrides = append(r.Overrides, octavo.Override{Match: pattern, Precision: precision})
	}
	if given("opset") && f.opset != "keep" {
		if r.Opset, err = opsetOf(f.opset); err != nil {
			return nil, err
		}
	}
	if err := checkOpset(r.Opset); err != nil {
		return nil, err
	}
	// What the target takes is checked for the one that the output will choose.
	checked := *r
	if checked.Target == "" {
		checked.Target = octavo.TargetFor(cmp.Or(f.out, path))
	}
	return r, checked.Check()
}

// reduceRange are the words of that flag; in a recipe it is true or false.
var reduceRange = diag.Words{Known: []string{"off", "on"}, Unbuilt: []string{"auto"}, Instead: []string{"--reduce-range on is safe everywhere; off is more accurate where int16 sums cannot overflow"}}

func (c *cli) quantize(cmd *cobra.Command, path string, f *quantizeFlags) error {
	start := time.Now()
	r, err := f.recipeOf(cmd, path)
	if err != nil {
		return err
	}
	if f.printRecipe {
		if c.json {
			return diag.Usagef("--print-recipe prints YAML and has no JSON form").Note("leave out --json")
		}
		c.warnIgnored(cmd, facts{printRecipe: true, paths: len(f.Paths)})
		b, err := r.YAML()
		if err != nil {
			return err
		}
		_, err = cmd.OutOrStdout().Write(b)
		return err
	}
	save, err := f.external.options(cmd)
	if err != nil {
		return err
	}
	if len(f.Paths) == 0 && r.Data.Path != "" {
		f.Paths = []string{r.Data.Path}
	}
	m, err := c.loadFixed(path, &f.fixed)
	if err != nil {
		return err
	}
	defer m.Close()
	if len(f.Paths) == 0 && f.ranges == "" && r.NeedsData() {
		return m.DataNeeded()
	}
	if f.out == "" {
		f.out = m.OutputFor(r)
	}
	if r.Target == "" {
		r.Target = octavo.TargetFor(f.out)
	}
	out, err := m.OutputPath(f.out, f.force)
	if err != nil {
		return err
	}
	c.warnings.Warn(m.Warnings...)
	if err := checkPlace("save-ranges", f.saveRanges, append(f.files(), path, out, f.recipe, f.ranges)...); err != nil {
		return err
	}
	if err := c.warnUnused(cmd, r, f); err != nil {
		return err
	}
	q, err := c.quantized(cmd, m, r, f)
	if err != nil {
		return err
	}
	c.warnings.Warn(q.Warnings...)
	if err := c.warnings.Err(); err != nil {
		return err
	}
	seen := len(q.Warnings)
	if r.Strict {
		if err := q.Report.Strict(); err != nil {
			return err
		}
	}
	if err := q.Save(out, append(save, c.saving(cmd.Context()))...); err != nil {
		return err
	}
	if err := f.writeRanges(q); err != nil {
		return err
	}
	c.warnings.Warn(q.Warnings[seen:]...)
	before, err := fileSize(m.Files()...)
	if err != nil {
		return err
	}
	after, err := fileSize(q.Files()...)
	if err != nil {
		return err
	}
	return c.summary(cmd.OutOrStdout(), path, out, before, after, q.Report, f.judging(r), time.Since(start))
}

func (c *cli) summary(w io.Writer, in, out string, before, after int64, r *octavo.Report, judging string, spent time.Duration) error {
	peak := octavo.PeakMemory()
	if c.json {
		return printJSON(w, map[string]any{"schema": "octavo.quantize/1", "input": in, "output": out, "bytes_before": before, "bytes_after": after,
			"samples": r.Samples, "quantized": r.Quantized, "float": r.Float, "modes": r.Modes, "values": r.Values, "algorithms": append([]string{}, r.Algorithms...), "io": r.IO, "existing": r.Existing, "opset_raised": r.Opset, "prescribed": r.Prescribed,
			"seconds": spent.Seconds(), "peak_anonymous_bytes": peak})
	}
	if c.quiet {
		return nil
	}
	fmt.Fprintf(w, "%s -> %s\n", in, out)
	fmt.Fprintf(w, "  size       %s -> %s (%.2fx smaller)\n", size(before), size(after), float64(before)/float64(after))
	if r.Quantized > 0 || len(r.Modes) == 0 {
		fmt.Fprintf(w, "  int8       %d operators, ranges from %d samples\n", r.Quantized, r.Samples)
	}
	for _, line := range r.ModeLines() {
		fmt.Fprintf(w, "  %s\n", line)
	}
	if len(r.Algorithms) > 0 {
		fmt.Fprintf(w, "  accuracy   %s\n", strings.Join(r.Algorithms, ", "))
	}
	if r.Existing != nil {
		fmt.Fprintf(w, "  existing   %v\n", *r.Existing)
	}
	if len(r.Float) > 0 {
		fmt.Fprintf(w, "  float      %d operators:\n", len(r.Float))
		for _, line := range r.FloatReasons() {
			fmt.Fprintf(w, "               %s\n", line)
		}
	}
	for _, v := range r.IO {
		fmt.Fprintf(w, "  io         %v\n", v)
	}
	if r.Opset != "" {
		fmt.Fprintf(w, "  opset      %s\n", r.Opset)
	}
	writePrescribed(w, r.Prescribed)
	fmt.Fprintf(w, "  took       %.1f s, peak memory %s\n", spent.Seconds(), size(peak))
	_, err := fmt.Fprintf(w, "next: octavo validate %s %s %s\n", in, out, judging)
	return err
}

// judging returns the flags of validate for the result: what the recipe says,
// else the calibration data, for want of other.
func (f *quantizeFlags) judging(r *octavo.Recipe) string {
	e := r.Evaluate
	if e.Data == "" {
		args := f.args()
		if len(args) == 0 || len(f.Paths) == 1 && f.Paths[0] == randomData {
			args = []string{"--data", "test.npz"}
		}
		return commandLine(append(args, f.fixed.args()...))
	}
	out := []string{"--data", e.Data}
	for _, a := range []struct{ flag, value string }{{"--labels", e.Labels}, {"--task", e.Task}, {"--max-drop", e.MaxDrop}} {
		if a.value != "" {
			out = append(out, a.flag, a.value)
		}
	}
	return commandLine(append(out, f.fixed.args()...))
}
