package optest

func neuralCases() []Case { return nil }
