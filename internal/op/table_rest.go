package op

// tableSignal holds the operators of sound and other signals.
var tableSignal = []Entry{
	row[BlackmanWindow](""),
	row[DFT](""),
	row[HammingWindow](""),
	row[HannWindow](""),
	row[MelWeightMatrix](""),
	row[STFT](""),
}

// tableText holds the operators of strings and files, and those of classical
// machine learning.
var tableText = []Entry{
	row[ArrayFeatureExtractor](ml),
	row[Binarizer](ml),
	row[ImageDecoder](""),
	row[LabelEncoder](ml),
	row[RegexFullMatch](""),
	row[StringConcat](""),
	row[StringNormalizer](""),
	row[StringSplit](""),
	row[TfIdfVectorizer](""),
	row[TreeEnsemble](ml),
}

// tableTraining holds the operators of training: losses, updates of weights,
// and random numbers.
var tableTraining = []Entry{
	row[Adagrad](training),
	row[Adam](training),
	row[Bernoulli](""),
	row[Momentum](training),
	row[Multinomial](""),
	row[NegativeLogLikelihoodLoss](""),
	row[RandomNormal](""),
	row[RandomNormalLike](""),
	row[RandomUniform](""),
	row[RandomUniformLike](""),
	row[SoftmaxCrossEntropyLoss](""),
}
