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

// Install installs Debian's PostgreSQL with apt-get, whose output goes to w. It
// keeps Debian from creating and starting a cluster of its own. The error is
// [ErrNoBinaries] if we are not root, if there is no apt-get, or if apt-get
// fails.
func Install(ctx context.Context, w io.Writer) error {
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return ErrNoBinaries
	}
	return install(ctx, w, apt, "/etc/postgresql-common/createcluster.d")
}

// install is Install with the paths of apt-get and of a configuration folder.
func install(ctx context.Context, w io.Writer, apt, clusterConf string) (err error) {
	// postgresql-common reads this folder before it makes the cluster "main" and
	// starts it. The file is removed after the installation: whether to have such
	// a cluster later is for the machine's administrator to decide.
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
		// dpkg must not be killed in the middle: it is asked to stop, and gets a
		// minute for it.
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.WaitDelay = time.Minute
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("apt-get %s: %w; %w", args[0], err, ErrNoBinaries)
		}
	}
	return nil
}

// writeTemporarily writes a file. undo removes it again, and the folders that
// were made for it, unless there is something else in them by then.
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
			_ = os.Remove(dir) // fails if it is not empty, as it should
		}
		return err
	}, nil
}
