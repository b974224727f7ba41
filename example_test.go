package octavo_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"

	"github.com/octavo-ml/octavo"
	"github.com/octavo-ml/octavo/testdata"
)

// demo returns the embedded model and, in a folder to be removed, the file of
// the given name of its data.
func demo(data string) (m *octavo.Model, path string, remove func()) {
	m, err := octavo.LoadFS(testdata.Demo, "demo/model.onnx")
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "octavo-example-")
	if err != nil {
		log.Fatal(err)
	}
	b, err := testdata.Demo.ReadFile("demo/" + data)
	if err != nil {
		log.Fatal(err)
	}
	path = filepath.Join(dir, data)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		log.Fatal(err)
	}
	return m, path, func() { os.RemoveAll(dir) }
}

// quantized returns a model that minmax ranges of the demo's calibration data
// make.
func quantized(m *octavo.Model, calib string) *octavo.Model {
	d, err := m.OpenData(octavo.DataOptions{Paths: []string{calib}})
	if err != nil {
		log.Fatal(err)
	}
	defer d.Close()
	r := octavo.Recipe{Mode: octavo.Static}
	r.Activations.Observer = "minmax"
	q, err := octavo.Quantize(context.Background(), m, r, octavo.WithCalibration(d.Samples(64)))
	if err != nil {
		log.Fatal(err)
	}
	return q
}

func ExampleModel_Inspect() {
	m, err := octavo.LoadFS(testdata.Demo, "demo/model.onnx")
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	info, err := m.Inspect()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Format, info.Parameters)
	fmt.Println(info.Inputs[0].Name, info.Inputs[0].Type)
	fmt.Println(info.Outputs[0].Name, info.Outputs[0].Type)
	// Output:
	// onnx 55962
	// input float32[batch,1,8,8]
	// logits float32[batch,10]
}

func ExampleQuantize() {
	m, calib, remove := demo("calib.npz")
	defer remove()
	defer m.Close()
	data, err := m.OpenData(octavo.DataOptions{Paths: []string{calib}})
	if err != nil {
		log.Fatal(err)
	}
	defer data.Close()
	q, err := octavo.Quantize(context.Background(), m,
		octavo.Recipe{Mode: octavo.Static, Keep: []string{"op:Gemm"}},
		octavo.WithCalibration(data.Samples(octavo.DefaultSamples)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(q.Report.Quantized, "operators run on integers, ranges from", q.Report.Samples, "samples")
	for _, s := range q.Report.Float {
		fmt.Println("float:", s.Node)
	}
	// Output:
	// 21 operators run on integers, ranges from 256 samples
	// float: /fc/Gemm
}

func ExampleValidateData() {
	m, calib, remove := demo("calib.npz")
	defer remove()
	defer m.Close()
	q := quantized(m, calib)
	data, err := m.OpenData(octavo.DataOptions{Paths: []string{calib}}) // your own: data that quantization has not seen
	if err != nil {
		log.Fatal(err)
	}
	defer data.Close()
	v, err := octavo.ValidateData(context.Background(), m, []*octavo.Model{q}, data, octavo.ValidateOptions{})
	if err != nil {
		log.Fatal(err)
	}
	gate, err := octavo.ParseDrop("0.01")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Task, "on", v.Samples, "samples")
	fmt.Println("loses more than a point:", gate.Check(v) != nil)
	// Output:
	// classification on 256 samples
	// loses more than a point: false
}

func ExampleValidate() {
	m, calib, remove := demo("calib.npz")
	defer remove()
	defer m.Close()
	q := quantized(m, calib)
	samples := func(yield func(octavo.Sample, error) bool) {
		for i := range 10 {
			image := octavo.NewTensor(slices.Repeat([]float32{float32(i) / 10}, 64), 1, 1, 8, 8)
			if !yield(octavo.Sample{Inputs: octavo.Inputs{"input": image}, Label: -1}, nil) {
				return
			}
		}
	}
	v, err := octavo.Validate(context.Background(), m, []*octavo.Model{q}, samples, octavo.ValidateOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Samples, "samples without labels, task", v.Task)
	// Output:
	// 10 samples without labels, task none
}

func ExampleProgram_Run() {
	m, path, remove := demo("test.npz")
	defer remove()
	defer m.Close()
	p, err := m.Compile(octavo.Threads(1))
	if err != nil {
		log.Fatal(err)
	}
	data, err := m.OpenData(octavo.DataOptions{Paths: []string{path}})
	if err != nil {
		log.Fatal(err)
	}
	defer data.Close()
	labels := data.Labels()
	i := 0
	for in, err := range data.Samples(0) {
		if err != nil {
			log.Fatal(err)
		}
		out, err := p.Run(context.Background(), in)
		if err != nil {
			log.Fatal(err)
		}
		scores := octavo.Data[float32](out["logits"])
		fmt.Println("digit", slices.Index(scores, slices.Max(scores)), "label", labels[i])
		if i++; i == 3 {
			break
		}
	}
	// Output:
	// digit 5 label 5
	// digit 6 label 6
	// digit 1 label 1
}

func ExampleModel_Save() {
	m, calib, remove := demo("calib.npz")
	defer remove()
	defer m.Close()
	path := filepath.Join(filepath.Dir(calib), "model.int8.onnx")
	if err := quantized(m, calib).Save(path); err != nil {
		log.Fatal(err)
	}
	q, err := octavo.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	defer q.Close()
	info, err := q.Inspect()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Inputs[0].Name, info.Inputs[0].Type)
	fmt.Println("most parameters are", info.Precision[0].Type)
	// Output:
	// input float32[batch,1,8,8]
	// most parameters are int8
}

func ExampleProgram_RunInto() {
	m, path, remove := demo("test.npz")
	defer remove()
	defer m.Close()
	p, err := m.Compile(octavo.Threads(1))
	if err != nil {
		log.Fatal(err)
	}
	data, err := m.OpenData(octavo.DataOptions{Paths: []string{path}})
	if err != nil {
		log.Fatal(err)
	}
	defer data.Close()
	var out octavo.Inputs // made by the first run, written to by the others
	for in, err := range data.Samples(3) {
		if err != nil {
			log.Fatal(err)
		}
		if out == nil {
			out, err = p.Run(context.Background(), in)
		} else {
			err = p.RunInto(context.Background(), in, out)
		}
		if err != nil {
			log.Fatal(err)
		}
		scores := octavo.Data[float32](out["logits"])
		fmt.Println("digit", slices.Index(scores, slices.Max(scores)))
	}
	// Output:
	// digit 5
	// digit 5
	// digit 8
}
