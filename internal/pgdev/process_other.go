//go:build !linux

package pgdev

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// childAttributes gives a child its own process group. Only Linux can signal a
// child when its parent dies; elsewhere, the next start stops orphans.
func childAttributes(syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// postgresIn lists the PostgreSQL processes of a data directory, as far as they
// can be found without /proc: only the postmaster that its PID file names.
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
