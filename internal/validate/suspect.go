package validate

import (
	"fmt"

	"github.com/octavo-ml/octavo/internal/diag"
)

// minJudged is how many samples a float model must have seen to be called
// suspicious, minChance how many times better than guessing it should be.
const (
	minJudged = 50
	minChance = 3
)

// leastAccuracy is what a float model that was given the right labels and
// inputs surely reaches: three times chance, or where few classes make that too
// much, a quarter of the way from chance to always right.
func leastAccuracy(chance float64) float64 {
	return min(float64(minChance*chance), chance+float64((1-chance)*0.25))
}

// suspicious returns an error where the float model is hardly better than
// chance, and a warning where its answers fit labels that are shifted by one
// far better than those given.
func (j *judge) suspicious(v *Verdict) error {
	if v.Samples < minJudged || j.classes < 2 {
		return nil
	}
	f := v.Models[0]
	if j.task == Binary {
		auc := f.Metrics[1].Value
		if !(auc < 0.6) || j.Force {
			return nil
		}
		e := &diag.Error{Msg: fmt.Sprintf("labels or preprocessing look wrong: the float model %s ranks samples of both classes with an AUC of %.2f on %d samples, and guessing would give 0.50", f.Name, auc, v.Samples)}
		if auc < 0.4 {
			e.Note("the classes may have changed places: --positive names the one that counts as yes")
		}
		return j.advise(e)
	}
	if j.task != Classification {
		return nil
	}
	chance := 1 / float64(j.classes)
	least, acc := leastAccuracy(chance), f.Accuracy.Value
	offset, shifted := j.bestShift()
	off := shifted >= least && shifted > acc+0.2 && shifted > 2*acc
	remedy := ""
	if off {
		remedy = fmt.Sprintf("labels look off by one: with --label-offset %d the float model would be right on %.1f %%", offset, 100*shifted)
	}
	if acc >= least || j.Force {
		if off {
			v.Warnings = append(v.Warnings, diag.Warning{ID: "OCT011", Msg: remedy})
		}
		return nil
	}
	e := &diag.Error{Msg: fmt.Sprintf("labels or preprocessing look wrong: the float model %s is right on %.1f %% of %d samples, and guessing would give %.1f %%", f.Name, 100*acc, v.Samples, 100*chance)}
	if off {
		e.Note("%s", remedy)
	}
	return j.advise(e)
}

// advise adds what else may be the matter.
func (j *judge) advise(e *diag.Error) error {
	r := j.inputs
	switch {
	case r.seen && !r.fraction && r.low >= 0 && r.high > 2 && r.high <= 255:
		e.Note("the inputs hold whole numbers from %v to %v, as pixels before scaling: a model trained on 0..1 wants them divided by 255", r.low, r.high)
	case r.seen && r.low >= 0 && r.high > 2 && r.high <= 255:
		e.Note("the inputs lie in %v..%v: a model trained on 0..1 wants pixels divided by 255", r.low, r.high)
	case r.seen && r.low >= 0 && r.high <= 1:
		e.Note("the inputs lie in %v..%v: the model may want 0..255, or a mean subtracted and a deviation divided", r.low, r.high)
	default:
		e.Note("check that the inputs are scaled as in training (0..1 or 0..255, mean and deviation)")
	}
	return e.Note("check that labels count from 0 and stand in the order of the samples").Note("--force goes on all the same")
}

// bestShift returns the offset of labels, 1 or -1, that the float model's
// answers fit better, and the share of samples they then fit.
func (j *judge) bestShift() (offset int, share float64) {
	up, down := 0, 0
	for i, l := range j.labels {
		switch j.boards[0].answers[i] - l {
		case 1:
			up++
		case -1:
			down++
		}
	}
	if down > up {
		return -1, float64(down) / float64(j.n)
	}
	return 1, float64(up) / float64(j.n)
}
