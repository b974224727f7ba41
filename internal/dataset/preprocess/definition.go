// Package preprocess turns decoded pictures into the tensors a model takes, by
// the one definition that is written into models, recipes and flags.
//
// It knows pixels and tensors; it opens no picture and knows no model. Start at
// [Definition].
package preprocess

// Definition says how a picture becomes an input, in the order of the fields:
// colour, resize, crop, (pixel · Scale − Mean) / Std, layout. The zero value of
// a field leaves its step out, or means the default named with it.
type Definition struct {
	// Color is "rgb" (default for three channels), "bgr" or "gray" (default for one).
	Color string `yaml:"color,omitempty" json:"color,omitempty"`
	// Resize is "256" (shorter side), "224x224" (height by width, exact), or
	// "letterbox:640@114" (fitted inside, the rest filled with that value).
	Resize string `yaml:"resize,omitempty" json:"resize,omitempty"`
	// Crop is the side of the centred square, or "HxW"; rounding as torchvision.
	Crop string `yaml:"crop,omitempty" json:"crop,omitempty"`
	// Interpolation is nearest, bilinear (default), bicubic, box or lanczos.
	Interpolation string `yaml:"interpolation,omitempty" json:"interpolation,omitempty"`
	// Resampler is pil (default), tf or cv2: whose arithmetic resizes.
	Resampler string `yaml:"resampler,omitempty" json:"resampler,omitempty"`
	// Scale multiplies pixels; nil is 1/255.
	Scale *float64 `yaml:"scale,omitempty" json:"scale,omitempty"`
	// Mean and Std, in scaled units, hold one value or one for each channel.
	Mean []float64 `yaml:"mean,omitempty,flow" json:"mean,omitempty"`
	Std  []float64 `yaml:"std,omitempty,flow" json:"std,omitempty"`
	// Layout is "nchw" or "nhwc"; "" goes by the model's input shape.
	Layout string `yaml:"layout,omitempty" json:"layout,omitempty"`
}
