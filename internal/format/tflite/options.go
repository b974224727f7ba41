package tflite

// The options of operators, as LiteRT's schema.fbs has them: one struct for
// each table, one field for each slot in use. The tag is the slot and, behind a
// comma, the default where that is not zero. options_read.go and the writer go
// by the tags.

type conv2DOptions struct {
	Padding  byte  `fb:"0"`
	StrideW  int32 `fb:"1"`
	StrideH  int32 `fb:"2"`
	Fused    byte  `fb:"3"`
	DilateW  int32 `fb:"4,1"`
	DilateH  int32 `fb:"5,1"`
	BiasType byte  `fb:"6"`
}

type conv3DOptions struct {
	Padding byte  `fb:"0"`
	StrideD int32 `fb:"1"`
	StrideW int32 `fb:"2"`
	StrideH int32 `fb:"3"`
	Fused   byte  `fb:"4"`
	DilateD int32 `fb:"5,1"`
	DilateW int32 `fb:"6,1"`
	DilateH int32 `fb:"7,1"`
}

type depthwiseOptions struct {
	Padding    byte  `fb:"0"`
	StrideW    int32 `fb:"1"`
	StrideH    int32 `fb:"2"`
	Multiplier int32 `fb:"3"`
	Fused      byte  `fb:"4"`
	DilateW    int32 `fb:"5,1"`
	DilateH    int32 `fb:"6,1"`
}

type pool2DOptions struct {
	Padding byte  `fb:"0"`
	StrideW int32 `fb:"1"`
	StrideH int32 `fb:"2"`
	FilterW int32 `fb:"3"`
	FilterH int32 `fb:"4"`
	Fused   byte  `fb:"5"`
}

type transposeConvOptions struct {
	Padding  byte  `fb:"0"`
	StrideW  int32 `fb:"1"`
	StrideH  int32 `fb:"2"`
	Fused    byte  `fb:"3"`
	BiasType byte  `fb:"4"`
}

type fullyConnectedOptions struct {
	Fused         byte `fb:"0"`
	WeightsFormat byte `fb:"1"`
	KeepDims      bool `fb:"2"`
	Asymmetric    bool `fb:"3"`
	BiasType      byte `fb:"4"`
}

type batchMatMulOptions struct {
	AdjointX   bool `fb:"0"`
	AdjointY   bool `fb:"1"`
	Asymmetric bool `fb:"2"`
}

type sequenceLSTMOptions struct {
	Fused      byte    `fb:"0"`
	CellClip   float32 `fb:"1"`
	ProjClip   float32 `fb:"2"`
	TimeMajor  bool    `fb:"3"`
	Asymmetric bool    `fb:"4"`
	Diagonal   bool    `fb:"5"`
}

// fusedOptions are those of MUL, DIV and L2_NORMALIZATION, which have nothing
// but a fused activation.
type fusedOptions struct {
	Fused byte `fb:"0"`
}

// sumOptions are those of ADD and SUB.
type sumOptions struct {
	Fused      byte `fb:"0"`
	PotScale16 bool `fb:"1,1"`
}

type concatenationOptions struct {
	Axis  int32 `fb:"0"`
	Fused byte  `fb:"1"`
}

type softmaxOptions struct {
	Beta float32 `fb:"0"`
}

type lrnOptions struct {
	Radius int32   `fb:"0"`
	Bias   float32 `fb:"1"`
	Alpha  float32 `fb:"2"`
	Beta   float32 `fb:"3"`
}

// resizeBilinearOptions begins with two fields that no file has any more.
type resizeBilinearOptions struct {
	AlignCorners bool `fb:"2"`
	HalfPixel    bool `fb:"3"`
}

type resizeNearestOptions struct {
	AlignCorners bool `fb:"0"`
	HalfPixel    bool `fb:"1"`
}

type reshapeOptions struct {
	Shape []int `fb:"0"`
}

type squeezeOptions struct {
	Dims []int `fb:"0"`
}

// blockOptions are those of SPACE_TO_DEPTH and DEPTH_TO_SPACE.
type blockOptions struct {
	BlockSize int32 `fb:"0"`
}

type gatherOptions struct {
	Axis      int32 `fb:"0"`
	BatchDims int32 `fb:"1"`
}

type reducerOptions struct {
	KeepDims bool `fb:"0"`
}

type splitOptions struct {
	Parts int32 `fb:"0"`
}

type stridedSliceOptions struct {
	BeginMask    int32 `fb:"0"`
	EndMask      int32 `fb:"1"`
	EllipsisMask int32 `fb:"2"`
	NewAxisMask  int32 `fb:"3"`
	ShrinkMask   int32 `fb:"4"`
	Offset       bool  `fb:"5"`
}

type castOptions struct {
	From byte `fb:"0"`
	To   byte `fb:"1"`
}

// typeOptions are those of ARG_MAX, ARG_MIN and SHAPE.
type typeOptions struct {
	Type byte `fb:"0"`
}

type packOptions struct {
	Count int32 `fb:"0"`
	Axis  int32 `fb:"1"`
}

type oneHotOptions struct {
	Axis int32 `fb:"0"`
}

type leakyReluOptions struct {
	Alpha float32 `fb:"0"`
}

type mirrorPadOptions struct {
	Mode byte `fb:"0"` // 0 reflects without the border, 1 with it
}

type reverseSequenceOptions struct {
	SequenceDim int32 `fb:"0"`
	BatchDim    int32 `fb:"1"`
}

type ifOptions struct {
	Then int32 `fb:"0"`
	Else int32 `fb:"1"`
}

type whileOptions struct {
	Cond int32 `fb:"0"`
	Body int32 `fb:"1"`
}

type callOptions struct {
	Graph int32 `fb:"0"`
}

type cumsumOptions struct {
	Exclusive bool `fb:"0"`
	Reverse   bool `fb:"1"`
}

type geluOptions struct {
	Approximate bool `fb:"0"`
}

// varHandleOptions name a variable; handles of one name are one.
type varHandleOptions struct {
	Container string `fb:"0"`
	Shared    string `fb:"1"`
}

type noOptions struct{}

// unionNumbers are the tables by their number in the union BuiltinOptions.
var unionNumbers = map[string]byte{
	// in the order of the schema
	"Conv2DOptions": 1, "DepthwiseConv2DOptions": 2, "ConcatEmbeddingsOptions": 3, "LSHProjectionOptions": 4, "Pool2DOptions": 5,
	"SVDFOptions": 6, "RNNOptions": 7, "FullyConnectedOptions": 8, "SoftmaxOptions": 9, "ConcatenationOptions": 10,
	"AddOptions": 11, "L2NormOptions": 12, "LocalResponseNormalizationOptions": 13, "LSTMOptions": 14, "ResizeBilinearOptions": 15,
	"CallOptions": 16, "ReshapeOptions": 17, "SkipGramOptions": 18, "SpaceToDepthOptions": 19, "EmbeddingLookupSparseOptions": 20,
	"MulOptions": 21, "PadOptions": 22, "GatherOptions": 23, "BatchToSpaceNDOptions": 24, "SpaceToBatchNDOptions": 25,
	"TransposeOptions": 26, "ReducerOptions": 27, "SubOptions": 28, "DivOptions": 29, "SqueezeOptions": 30, "SequenceRNNOptions": 31,
	"StridedSliceOptions": 32, "ExpOptions": 33, "TopKV2Options": 34, "SplitOptions": 35, "LogSoftmaxOptions": 36,
	"CastOptions": 37, "DequantizeOptions": 38, "MaximumMinimumOptions": 39, "ArgMaxOptions": 40, "LessOptions": 41,
	"NegOptions": 42, "PadV2Options": 43, "GreaterOptions": 44, "GreaterEqualOptions": 45, "LessEqualOptions": 46,
	"SelectOptions": 47, "SliceOptions": 48, "TransposeConvOptions": 49, "SparseToDenseOptions": 50, "TileOptions": 51,
	"ExpandDimsOptions": 52, "EqualOptions": 53, "NotEqualOptions": 54, "ShapeOptions": 55, "PowOptions": 56, "ArgMinOptions": 57,
	"FakeQuantOptions": 58, "PackOptions": 59, "LogicalOrOptions": 60, "OneHotOptions": 61, "LogicalAndOptions": 62,
	"LogicalNotOptions": 63, "UnpackOptions": 64, "FloorDivOptions": 65, "SquareOptions": 66, "ZerosLikeOptions": 67,
	"FillOptions": 68, "BidirectionalSequenceLSTMOptions": 69, "BidirectionalSequenceRNNOptions": 70, "UnidirectionalSequenceLSTMOptions": 71,
	"FloorModOptions": 72, "RangeOptions": 73, "ResizeNearestNeighborOptions": 74, "LeakyReluOptions": 75, "SquaredDifferenceOptions": 76,
	"MirrorPadOptions": 77, "AbsOptions": 78, "SplitVOptions": 79, "UniqueOptions": 80, "ReverseV2Options": 81, "AddNOptions": 82,
	"GatherNdOptions": 83, "CosOptions": 84, "WhereOptions": 85, "RankOptions": 86, "ReverseSequenceOptions": 87,
	"MatrixDiagOptions": 88, "QuantizeOptions": 89, "MatrixSetDiagOptions": 90, "HardSwishOptions": 91, "IfOptions": 92,
	"WhileOptions": 93, "DepthToSpaceOptions": 94, "NonMaxSuppressionV4Options": 95, "NonMaxSuppressionV5Options": 96,
	"ScatterNdOptions": 97, "SelectV2Options": 98, "DensifyOptions": 99, "SegmentSumOptions": 100, "BatchMatMulOptions": 101,
	"CumsumOptions": 102, "CallOnceOptions": 103, "BroadcastToOptions": 104, "Rfft2dOptions": 105, "Conv3DOptions": 106,
	"HashtableOptions": 107, "HashtableFindOptions": 108, "HashtableImportOptions": 109, "HashtableSizeOptions": 110,
	"VarHandleOptions": 111, "ReadVariableOptions": 112, "AssignVariableOptions": 113, "RandomOptions": 114, "BucketizeOptions": 115,
	"GeluOptions": 116, "DynamicUpdateSliceOptions": 117, "UnsortedSegmentProdOptions": 118, "UnsortedSegmentMaxOptions": 119,
	"UnsortedSegmentMinOptions": 120, "UnsortedSegmentSumOptions": 121, "ATan2Options": 122, "SignOptions": 123, "BitcastOptions": 124,
	"BitwiseXorOptions": 125, "RightShiftOptions": 126,
}
