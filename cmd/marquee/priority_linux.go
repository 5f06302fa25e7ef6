package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// giveWay lowers the priority of this process to a niceness, unless it is that low already. In Linux each thread has a niceness of its
// own, and a new thread has that of the thread that starts it. So giveWay lists the threads again until there is none that it has not lowered.
func giveWay(nice int) error {
	lowered := map[int]bool{}
	for before := -1; before < len(lowered); {
		before = len(lowered)
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("finding the threads: %w", err)
		}
		for _, thread := range threads {
			id, err := strconv.Atoi(thread.Name())
			if err != nil || lowered[id] {
				continue
			}
			if err := lower(id, nice); err != nil && !errors.Is(err, syscall.ESRCH) { // it has ended
				return fmt.Errorf("lowering the priority: %w", err)
			}
			lowered[id] = true
		}
	}
	return nil
}

func lower(thread, nice int) error {
	now, err := nicenessOf(thread)
	if err != nil || now >= nice {
		return err
	}
	return syscall.Setpriority(syscall.PRIO_PROCESS, thread, nice)
}

// nicenessOf is the niceness of a thread. The system call returns 20 minus it.
func nicenessOf(thread int) (int, error) {
	told, err := syscall.Getpriority(syscall.PRIO_PROCESS, thread)
	return 20 - told, err
}
