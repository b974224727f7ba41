// Package interop holds tests against other tools: ONNX Runtime and
// onnx.checker, driven through Python. It has no code. Start at README.md.
package interop
