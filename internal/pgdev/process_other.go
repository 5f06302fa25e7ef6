//go:build !linux

package pgdev

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// childAttributes gives a child its own process group. Only Linux tells a child
// of its parent's death; elsewhere the next start ends an orphan.
func childAttributes(syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// postgresIn lists the PostgreSQL processes that work in the data directory, as
// far as they are known without /proc: the postmaster of its PID file.
func postgresIn(_ string, postmaster int) []int {
	if postmaster == 0 {
		return nil
	}
	name, err := exec.Command("ps", "-o", "comm=", "-p", strconv.Itoa(postmaster)).Output()
	if err != nil || filepath.Base(strings.TrimSpace(string(name))) != "postgres" {
		return nil
	}
	return []int{postmaster}
}
