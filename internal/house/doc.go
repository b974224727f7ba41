// Package house holds tests of the house itself: which package may import
// which, that each folder says what it is for, how long files may be, that
// generated files are fresh, and which dependencies there are. It has no code.
// Start at floors_test.go.
package house
