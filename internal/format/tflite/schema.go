package tflite

import "github.com/octavo-ml/octavo/internal/dtype"

// The slots of the tables in LiteRT's schema.fbs, version 3d. The number of a
// field is its place in the table; a union takes two, the first for its type.
const (
	modelVersion = iota
	modelCodes
	modelGraphs
	modelDescription
	modelBuffers
	modelMetadataBuffers // of before metadata had names
	modelMetadata
	modelSignatures
	modelExternalGroups
	modelExternalBuffers
)

const (
	codeDeprecated = iota // what older readers know, at most codePlaceholder
	codeCustomName
	codeVersion // default 1
	codeBuiltin
)

const (
	graphTensors = iota
	graphInputs
	graphOutputs
	graphOperators
	graphName
	graphDebug
)

const (
	tensorShape = iota
	tensorType
	tensorBuffer
	tensorName
	tensorQuantization
	tensorVariable
	tensorSparsity
	tensorSignature // the shape, with -1 for what may change
	tensorHasRank
	tensorVariants
	tensorExternal
)

const (
	quantMin = iota
	quantMax
	quantScale
	quantZeroPoint
	quantDetailsType
	quantDetails
	quantDimension
)

// The members of QuantizationDetails.
const (
	detailsCustom = iota + 1
	detailsBlockwise
	detailsMultiAxis
)

const (
	blockScales     = iota
	blockZeroPoints // -1: none
	blockSize
)

const (
	operatorCode = iota
	operatorInputs
	operatorOutputs
	operatorOptionsType
	operatorOptions
	operatorCustomOptions
	operatorCustomFormat
	operatorMutating
	operatorIntermediates
	operatorLargeOffset
	operatorLargeSize
	operatorOptions2Type
	operatorOptions2
	operatorDebug
)

const (
	bufferData   = iota
	bufferOffset // in the file, where it is more than 1
	bufferSize
)

const (
	metadataName = iota
	metadataBuffer
)

const (
	mapName = iota
	mapTensor
)

const (
	signatureInputs = iota
	signatureOutputs
	signatureKey
	signatureTag // deprecated
	signatureGraph
)

// elementTypes maps TensorType to element types; what has none here is not
// read.
var elementTypes = [...]dtype.Type{
	0: dtype.Float32, 1: dtype.Float16, 2: dtype.Int32, 3: dtype.Uint8, 4: dtype.Int64, 5: dtype.String,
	6: dtype.Bool, 7: dtype.Int16, 8: dtype.Complex64, 9: dtype.Int8, 10: dtype.Float64, 11: dtype.Complex128,
	12: dtype.Uint64, 13: dtype.Invalid, 14: dtype.Invalid, 15: dtype.Uint32, 16: dtype.Uint16, 17: dtype.Int4,
	18: dtype.BFloat16, 19: dtype.Int2, 20: dtype.Uint4, 21: dtype.Float8E4M3FN, 22: dtype.Float8E5M2,
}

// typeResource is a handle of a variable.
const typeResource = 13

// typeNames are the names of those without an element type.
var typeNames = map[byte]string{13: "RESOURCE", 14: "VARIANT"}

// The paddings.
const (
	paddingSame = iota
	paddingValid
)

// The fused activation functions.
const (
	fusedNone = iota
	fusedRelu
	fusedReluN1To1
	fusedRelu6
	fusedTanh
	fusedSignBit
)
