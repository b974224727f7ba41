package main

import (
	"fmt"
	"os"
	"os/exec"
	"time"
)

// cost is what a process took: time, and the most memory that it was seen to
// hold, its own and with the pages of mapped files.
type cost struct {
	seconds             float64
	anonymous, resident int64
}

// start runs a command to its end and watches its memory.
func start(cmd *exec.Cmd) (cost, error) {
	cmd.Stderr = os.Stderr
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return cost{}, err
	}
	var c cost
	stop, done := make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		tick := time.NewTicker(3 * time.Millisecond)
		defer tick.Stop()
		for {
			if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid)); err == nil {
				status := string(b)
				c.anonymous = max(c.anonymous, field(status, "RssAnon:"))
				c.resident = max(c.resident, field(status, "VmRSS:"), field(status, "VmHWM:"))
			}
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	err := cmd.Wait()
	c.seconds = time.Since(begun).Seconds()
	close(stop)
	<-done
	if err != nil {
		return cost{}, fmt.Errorf("%v: %w", cmd.Args, err)
	}
	return c, nil
}
