// Package metric holds pure measures: how far two signals lie apart, how good
// classifications and rankings are, how sure such a figure is, and quantiles
// of latencies.
//
// It sees slices of numbers, and must not know models, datasets, tasks or
// gates. Whatever is gathered over many samples is an accumulator with Add and
// Merge whose state does not depend on the order of the samples or on how they
// were split.
//
// Start at [Error] for signals, [Confusion] and [Rate] for answers, and
// [Interval] for uncertainty.
package metric
