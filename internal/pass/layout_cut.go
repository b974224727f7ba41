package pass

// network is a flow network, for the cheapest way to part its vertices in two.
type network struct {
	edges []edge
	out   [][]int // edges by the vertex they leave; edge i^1 is i backwards
	depth []int
	at    []int
}

type edge struct{ to, room int }

// endless is more than all costs together.
const endless = 1 << 60

// vertex adds a vertex and returns its number.
func (n *network) vertex() int {
	n.out = append(n.out, nil)
	return len(n.out) - 1
}

// arc says that it costs room to have from on the source's side and to on the
// other.
func (n *network) arc(from, to, room int) {
	n.out[from] = append(n.out[from], len(n.edges))
	n.out[to] = append(n.out[to], len(n.edges)+1)
	n.edges = append(n.edges, edge{to, room}, edge{from, 0})
}

// cut returns the vertices on the source's side of a cheapest cut, of all
// cheapest ones the one nearest to the sink (Dinic, "Algorithm for solution of
// a problem of maximum flow in networks", 1970).
func (n *network) cut(source, sink int) []bool {
	for n.layer(source, sink) {
		n.at = make([]int, len(n.out))
		for n.push(source, sink, endless) > 0 {
		}
	}
	// What can still reach the sink is on its side.
	far := make([]bool, len(n.out))
	for i := range far {
		far[i] = true
	}
	far[sink] = false
	for queue := []int{sink}; len(queue) > 0; queue = queue[1:] {
		for _, e := range n.out[queue[0]] {
			if from := n.edges[e].to; far[from] && n.edges[e^1].room > 0 {
				far[from] = false
				queue = append(queue, from)
			}
		}
	}
	return far
}

func (n *network) layer(source, sink int) bool {
	n.depth = make([]int, len(n.out))
	n.depth[source] = 1
	for queue := []int{source}; len(queue) > 0; queue = queue[1:] {
		for _, e := range n.out[queue[0]] {
			if to := n.edges[e].to; n.depth[to] == 0 && n.edges[e].room > 0 {
				n.depth[to] = n.depth[queue[0]] + 1
				queue = append(queue, to)
			}
		}
	}
	return n.depth[sink] > 0
}

func (n *network) push(v, sink, most int) int {
	if v == sink {
		return most
	}
	for ; n.at[v] < len(n.out[v]); n.at[v]++ {
		e := n.out[v][n.at[v]]
		to := n.edges[e].to
		if n.edges[e].room == 0 || n.depth[to] != n.depth[v]+1 {
			continue
		}
		if got := n.push(to, sink, min(most, n.edges[e].room)); got > 0 {
			n.edges[e].room -= got
			n.edges[e^1].room += got
			return got
		}
	}
	return 0
}
