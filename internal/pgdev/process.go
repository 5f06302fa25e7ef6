package pgdev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// account is a user that a child process runs as; nil means our own.
type account struct {
	name     string
	uid, gid uint32
}

// serverAccount is the account to run PostgreSQL as. It is nil, our own, unless
// we are root: PostgreSQL refuses to run as root.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

// command prepares a PostgreSQL program to run:
//
//   - as the server's account;
//   - in its own process group, so that Ctrl-C in the terminal doesn't reach it;
//   - without our environment, which may have secrets and PG* variables;
//   - so that the kernel sends it onDeath when we die, however we die (see
//     childAttributes).
func (s *Server) command(ctx context.Context, onDeath syscall.Signal, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...)
	cmd.Dir = "/" // the account may not be able to enter our current directory
	cmd.Env = []string{"LC_ALL=C", "PATH=" + s.bin + ":/usr/bin:/bin"}
	for _, key := range []string{"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZDIR"} {
		if value, ok := os.LookupEnv(key); ok {
			cmd.Env = append(cmd.Env, key+"="+value)
		}
	}
	cmd.SysProcAttr = childAttributes(onDeath)
	if s.account != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: s.account.uid, Gid: s.account.gid}
	}
	return cmd
}

// supervise runs the postmaster until it is stopped. If it crashes, supervise
// starts it again, so that it is away no longer than recovery takes.
func (s *Server) supervise() {
	// The kernel sends the death signal when the thread that started the child
	// ends, not when the process does. So this thread must live as long as the
	// child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(s.done)
	for crashes := 0; ; {
		began := time.Now()
		err := s.runOnce()
		if time.Since(began) > time.Minute {
			crashes = 0
		}
		crashes++
		s.mu.Lock()
		stopping := s.stopping
		s.mu.Unlock()
		switch {
		case stopping:
			return
		case s.quick, !s.ready.Load(), crashes > maxRestarts:
			s.err = cmpError(err, "it exited")
			s.log.Error("PostgreSQL is gone", "error", s.err)
			return
		}
		s.log.Warn("PostgreSQL ended, starting it again", "error", err)
		// Backends that have outlived the postmaster must be gone before that.
		if err := endOrphans(context.Background(), s.place.data, s.log); err != nil {
			s.err = err
			return
		}
	}
}

// cmpError is err or, if that is nil, an error with the text.
func cmpError(err error, text string) error {
	if err == nil {
		return errors.New(text)
	}
	return err
}

// runOnce runs one postmaster until it ends.
func (s *Server) runOnce() error {
	out, err := s.place.openLog()
	if err != nil {
		return err
	}
	defer out.Close()
	onDeath := syscall.SIGINT
	if s.quick {
		onDeath = syscall.SIGQUIT
	}
	cmd := s.command(context.Background(), onDeath, "postgres", s.args...)
	cmd.Stdout, cmd.Stderr = out, out

	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return nil
	}
	err = cmd.Start()
	s.process = cmd.Process
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("run postgres: %w", err)
	}
	return cmd.Wait()
}

// endOrphans stops the PostgreSQL processes that an earlier program left running
// on the data when it was killed. It also removes the PID file if another process
// has that number now. The caller holds the lock, so none of these processes
// belongs to a program that is alive.
func endOrphans(ctx context.Context, data string, log *slog.Logger) error {
	pidFile := filepath.Join(data, "postmaster.pid")
	postmaster := readPID(pidFile)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	began, step := time.Now(), 0
	for {
		pids := postgresIn(data, postmaster)
		if len(pids) == 0 {
			break
		}
		waited := time.Since(began)
		switch {
		case step == 0:
			step = 1
			log.WarnContext(ctx, "stopping a PostgreSQL that an earlier run left behind", "pids", pids)
			if slices.Contains(pids, postmaster) {
				_ = syscall.Kill(postmaster, syscall.SIGINT)
			}
		case step == 1 && waited > stopGrace:
			step = 2
			for _, pid := range pids {
				_ = syscall.Kill(pid, syscall.SIGQUIT)
			}
		case waited > 3*stopGrace:
			return fmt.Errorf("a PostgreSQL server of an earlier run does not stop (pids %v)", pids)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the PostgreSQL server of an earlier run to stop: %w", ctx.Err())
		}
	}
	// PostgreSQL refuses to start if there is any process with the recorded PID.
	if postmaster > 0 && !errors.Is(syscall.Kill(postmaster, 0), syscall.ESRCH) && readPID(pidFile) == postmaster {
		return os.Remove(pidFile)
	}
	return nil
}

// readPID reads a process number from the first line of a file; 0 if there is
// none.
func readPID(file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid < 2 {
		return 0
	}
	return pid
}
