package main

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"testing"
)

// TestGiveWay: every thread gives way, also one that is started later, and none less than it did. A process does that for good, so it
// is one of its own.
func TestGiveWay(t *testing.T) {
	t.Parallel()
	const variable = "MARQUEE_TEST_GIVE_WAY" // is set in it
	if os.Getenv(variable) == "" {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestGiveWay$")
		command.Env = append(os.Environ(), variable+"=1")
		if said, err := command.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, said)
		}
		return
	}
	began, err := nicenessOf(os.Getpid()) // that of who runs the tests, maybe under nice
	if err != nil {
		t.Fatal(err)
	}
	wide := threads(t, 4)
	for _, nice := range []int{7, 3, 12} {
		if err := giveWay(nice); err != nil {
			t.Fatal(err)
		}
		wide += 4
		threads(t, wide)
		for _, found := range allNiceness(t) {
			if want := max(began, 7, nice); found != want {
				t.Errorf("after %d, a thread has %d, want %d", nice, found, want)
			}
		}
	}
}

// threads has at least n threads started.
func threads(t *testing.T, n int) int {
	t.Helper()
	var started, ended sync.WaitGroup
	started.Add(n)
	for range n {
		ended.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			started.Done()
			started.Wait()
		})
	}
	ended.Wait()
	return n
}

func allNiceness(t *testing.T) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	all := make([]int, 0, len(entries))
	for _, entry := range entries {
		id, err := strconv.Atoi(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		if found, err := nicenessOf(id); err == nil { // else it has ended
			all = append(all, found)
		}
	}
	return all
}
