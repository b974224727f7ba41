// Package testdata embeds the project-made model and data of the demo.
//
// Everything in this folder was made by the scripts in make/, from UCI's
// "Optical Recognition of Handwritten Digits" (CC BY 4.0); see README.md.
package testdata

import "embed"

// Demo holds demo/model.onnx, demo/calib.npz and demo/test.npz.
//
//go:embed demo
var Demo embed.FS
