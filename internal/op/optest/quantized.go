package optest

func quantizedCases() []Case { return nil }
