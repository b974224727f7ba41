// Command models writes full-size networks with seeded weights as ONNX files:
// for measuring speed, memory and agreement, never accuracy.
//
//	go run ./bench/models -o DIR [-only resnet50]
//	go run ./bench/models -o DIR -only transformer-large [-layers 27] [-width 2048] [-vocabulary 32000]
//	go run ./bench/models -o DIR -only stories260k [-stories FILE]
//	go run ./bench/models -o DIR -samples 128
//
// The layers are those of the published networks; the weights are drawn so
// that activations stay in a sane range. One network has the weights of a
// file, and is left out where that is missing. Start at the table networks.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// networks is the table of what can be written.
var networks = []struct {
	name  string
	build func(b *builder)
}{
	{"resnet18", func(b *builder) { resnet(b, []int{2, 2, 2, 2}, false) }},
	{"resnet50", func(b *builder) { resnet(b, []int{3, 4, 6, 3}, true) }},
	{"mobilenetv2", mobileNetV2},
	{"efficientnet-b0", efficientNetB0},
	{"bert-base", bertBase},
	{"vit-s16", vitS16},
	{"lstm", lstm},
	{large, transformerLarge},
	{"empty", empty},
}

// large is the network that takes gigabytes, and is written where it is asked
// for by name alone.
const large = "transformer-large"

func main() {
	dir := flag.String("o", ".", "folder to write to")
	only := flag.String("only", "", "write this network alone")
	samples := flag.Int("samples", 0, "write an archive of this many seeded images instead")
	size := largeDefault
	flag.IntVar(&size.layers, "layers", size.layers, "layers of "+large)
	flag.IntVar(&size.width, "width", size.width, "width of "+large)
	flag.IntVar(&size.vocabulary, "vocabulary", size.vocabulary, "tokens that "+large+" knows")
	weights := flag.String("stories", filepath.Join("..", "shared", "models", stories, "stories260K.bin"), "file with the weights of "+stories)
	flag.Parse()
	var err error
	if *samples > 0 {
		err = writeImages(filepath.Join(*dir, fmt.Sprintf("images-%d.npz", *samples)), *samples)
	} else if *only == stories {
		err = writeStories(*dir, *weights)
	} else if err = run(*dir, *only, size); err == nil && *only == "" {
		if err = writeStories(*dir, *weights); errors.Is(err, fs.ErrNotExist) {
			fmt.Printf("%s is left out: its weights are not there: %v\n", stories, err)
			err = nil
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "models:", err)
		os.Exit(1)
	}
}

// writeStories writes the network with the weights of a file.
func writeStories(dir, weights string) error {
	w, err := readStory(weights)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	b := newBuilder(stories)
	story(b, w)
	return b.save(dir)
}

func run(dir, only string, size largeSize) error {
	if size.layers < 1 || size.width < 1 || size.vocabulary < 1 {
		return fmt.Errorf("layers, width and vocabulary: want numbers from 1 up")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	found := false
	for _, n := range networks {
		if only != n.name && (only != "" || n.name == large) {
			continue
		}
		found = true
		b := newBuilder(n.name)
		b.size = size
		n.build(b)
		if err := b.save(dir); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("no network is called %q; there are %s", only, names())
	}
	return nil
}

// save writes the network to a folder and says so.
func (b *builder) save(dir string) error {
	path := filepath.Join(dir, b.name+".onnx")
	if err := b.write(path); err != nil {
		return err
	}
	fmt.Printf("%s: %.2f million parameters\n", path, float64(b.parameters)/1e6)
	return nil
}

func names() string {
	var all []string
	for _, n := range networks {
		all = append(all, n.name)
	}
	all = append(all, stories)
	return strings.Join(all, ", ")
}

// empty is one operator on one number: what a run costs before it computes.
func empty(b *builder) {
	b.value(11, "x", float32Type, 1)
	b.value(12, "y", float32Type, 1)
	b.nodeTo("Relu", []string{"x"}, "y")
}
