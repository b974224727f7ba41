// Package house holds tests of the house itself: which package may import
// which, what each folder must say, how long files may be, that generated
// files are fresh, that results cannot depend on the machine, and which
// dependencies there are. It has no code and knows no behaviour of the
// packages. Start at floors_test.go.
package house
