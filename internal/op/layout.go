package op

// Layout says where the channels of a spatial operator's activations lie.
// Weights are always [M, C/group, kernel…].
type Layout uint8

// The layouts, of any rank.
const (
	ChannelsFirst Layout = iota // [N, C, spatial…]
	ChannelsLast                // [N, spatial…, C]
)

// String returns "channels-first" or "channels-last".
func (l Layout) String() string {
	if l == ChannelsLast {
		return "channels-last"
	}
	return "channels-first"
}

// Channel returns the axis of the channels in a tensor of the given rank.
func (l Layout) Channel(rank int) int {
	if l == ChannelsLast {
		return rank - 1
	}
	return 1
}

// Spatial returns the first spatial axis.
func (l Layout) Spatial() int {
	if l == ChannelsLast {
		return 1
	}
	return 2
}
