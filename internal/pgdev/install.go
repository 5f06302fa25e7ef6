package pgdev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Install installs Debian's PostgreSQL when it can: as root, with apt-get. Its
// output goes to w. No cluster of Debian's own is created or started. Where it
// cannot, the error is [ErrNoBinaries].
func Install(ctx context.Context, w io.Writer) error {
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return ErrNoBinaries
	}
	return install(ctx, w, apt, "/etc/postgresql-common/createcluster.d")
}

// install is Install with its tools and places given.
func install(ctx context.Context, w io.Writer, apt, clusterConf string) (err error) {
	// postgresql-common reads this folder before it makes the cluster "main" and
	// starts it. The file is there for the installation only: the machine's
	// administrator has not decided anything.
	undo, err := writeTemporarily(filepath.Join(clusterConf, "marquee-dev.conf"), "create_main_cluster = false\n")
	if err != nil {
		return fmt.Errorf("keep Debian from creating its own cluster: %w", err)
	}
	defer func() { err = errors.Join(err, undo()) }()
	for _, args := range [][]string{
		{"update"},
		{"install", "-y", "--no-install-recommends", "postgresql"},
	} {
		cmd := exec.CommandContext(ctx, apt, append([]string{"-o", "DPkg::Lock::Timeout=120"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = w, w
		// dpkg must not be killed in the middle: ask, and leave it a minute.
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.WaitDelay = time.Minute
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("apt-get %s: %w; %w", args[0], err, ErrNoBinaries)
		}
	}
	return nil
}

// writeTemporarily writes a file and returns what removes it again, with the
// folders that were made for it unless others use them by then.
func writeTemporarily(file, text string) (undo func() error, err error) {
	var made []string
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			break
		}
		made = append(made, dir)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return nil, err
	}
	return func() error {
		err := os.Remove(file)
		for _, dir := range made {
			_ = os.Remove(dir) // fails, rightly, when it is not empty
		}
		return err
	}, nil
}
