package octavo

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

var (
	peakAnonymous atomic.Int64
	watching      sync.Once
)

// WatchMemory starts to sample the memory of this process, so that PeakMemory
// can tell its peak. Calling it again does nothing.
func WatchMemory() {
	watching.Do(func() {
		go func() {
			for range time.Tick(5 * time.Millisecond) {
				sampleMemory()
			}
		}()
	})
}

func sampleMemory() {
	now, _ := residentMemory()
	for {
		old := peakAnonymous.Load()
		if now <= old || peakAnonymous.CompareAndSwap(old, now) {
			return
		}
	}
}

// PeakMemory returns the most anonymous memory, in bytes, that this process
// was seen to hold since WatchMemory: what it allocated, without the files it
// maps.
func PeakMemory() int64 {
	sampleMemory()
	return peakAnonymous.Load()
}

// MappedMemory returns the bytes of mapped files that are resident now; 0 where
// the system does not tell.
func MappedMemory() int64 {
	_, mapped := residentMemory()
	return mapped
}

// residentMemory returns the resident anonymous and file-backed bytes. Where
// the system does not tell, what Go has from it stands for the former.
func residentMemory() (anonymous, mapped int64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.Sys - m.HeapReleased), 0
	}
	return statusField(status, "RssAnon:"), statusField(status, "RssFile:")
}

// statusField reads a line such as "RssAnon:	    1234 kB".
func statusField(status []byte, name string) int64 {
	_, rest, ok := bytes.Cut(status, []byte("\n"+name))
	if !ok {
		return 0
	}
	line, _, _ := bytes.Cut(rest, []byte(" kB"))
	n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
	if err != nil {
		return 0
	}
	return n * 1024
}
