package pgdev_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/pgdev"
)

// TestCrash kills the postmaster, as the kernel does when memory runs out. It is
// started again, and has all that was committed.
func TestCrash(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	s := start(t, pgdev.Options{Dir: dir})
	execute(t, connect(t, s, "postgres"), "CREATE TABLE kept AS SELECT 42 AS answer")
	pid := postmaster(t, dir)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a new postmaster answers", func() bool {
		conn, err := pgx.Connect(t.Context(), s.URL("postgres"))
		if err != nil {
			return false
		}
		defer conn.Close(t.Context())
		return postmaster(t, dir) != pid
	})
	if got := query[int](t, connect(t, s, "postgres"), "SELECT answer FROM kept"); got != 42 {
		t.Errorf("data after the crash: got %d, want 42", got)
	}

	// An ephemeral server is not started again.
	dir = tempDir(t)
	s = start(t, pgdev.Options{Dir: dir, Ephemeral: true})
	if err := syscall.Kill(postmaster(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
}

func postmaster(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, _ := strconv.Atoi(first)
	return pid
}

// child runs this test binary as a program with a server, and returns when it is ready.
func child(t *testing.T, dir string, extra ...string) (cmd *exec.Cmd, serverDir string) {
	t.Helper()
	cmd = exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(append(os.Environ(), dirVariable+"="+dir), extra...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	buf := make([]byte, 4096)
	n, err := out.Read(buf)
	serverDir, ok := strings.CutPrefix(strings.TrimSpace(string(buf[:n])), "ready: ")
	if err != nil || !ok {
		t.Fatalf("child said %q, %v", buf[:n], err)
	}
	return cmd, serverDir
}

func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the error is that it was killed
}

// TestKilledProgram: kill -9 of the program takes the server with it, and the
// next start does not stumble over what is left.
func TestKilledProgram(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a child of its parent's death")
	}
	dir := tempDir(t)
	cmd, _ := child(t, dir)
	kill(t, cmd)
	s := start(t, pgdev.Options{Dir: dir}) // at once, while the other shuts down
	query[int](t, connect(t, s, "postgres"), "SELECT 1")
	stop(t, s)
	eventually(t, "no process is left", func() bool { return len(processes(t, dir)) == 0 })
}

// TestTemp: an ephemeral server removes its own directory, and that of an earlier
// server whose program was killed.
func TestTemp(t *testing.T) {
	parent := tempDir(t)
	t.Setenv("TMPDIR", parent)
	killed, left := child(t, "none", dirVariable+"_TEMP=1")
	alive := start(t, pgdev.Options{Ephemeral: true})
	kill(t, killed)
	if _, err := os.Stat(left); err != nil {
		t.Fatalf("swept while in use: %v", err)
	}
	s := start(t, pgdev.Options{Ephemeral: true})
	if !strings.HasPrefix(s.Dir(), parent) {
		t.Errorf("directory %s is not in TMPDIR %s", s.Dir(), parent)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("the killed program's directory is still there: %v", err)
	}
	query[int](t, connect(t, alive, "postgres"), "SELECT 1")
	stop(t, s)
	if _, err := os.Stat(s.Dir()); !os.IsNotExist(err) {
		t.Errorf("the directory outlived Stop: %v", err)
	}
}

// TestOrphan: if the kernel does not end the server together with the program,
// the next start stops it.
func TestOrphan(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	s := start(t, pgdev.Options{Dir: dir, Ephemeral: true})
	pid := postmaster(t, dir)
	// Another program would find the lock free, because ours is gone.
	if err := os.Rename(filepath.Join(dir, "lock"), filepath.Join(dir, "lock.gone")); err != nil {
		t.Fatal(err)
	}
	second := start(t, pgdev.Options{Dir: dir, Ephemeral: true})
	<-s.Done()
	if got := postmaster(t, dir); got == pid || got == 0 {
		t.Errorf("postmaster is %d, want another than %d", got, pid)
	}
	query[int](t, connect(t, second, "postgres"), "SELECT 1")
}

// TestStrangersPID: after a crash the recorded PID may belong to another process;
// in a container it usually does. Without our help, PostgreSQL would refuse to
// start.
func TestStrangersPID(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	s := start(t, pgdev.Options{Dir: dir, Ephemeral: true})
	pidFile := filepath.Join(dir, "data", "postmaster.pid")
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	stranger := exec.Command("sleep", "60")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(t, stranger) })
	_, rest, _ := strings.Cut(string(text), "\n")
	if err := os.WriteFile(pidFile, fmt.Appendf(nil, "%d\n%s", stranger.Process.Pid, rest), 0o600); err != nil {
		t.Fatal(err)
	}
	s = start(t, pgdev.Options{Dir: dir, Ephemeral: true})
	query[int](t, connect(t, s, "postgres"), "SELECT 1")
	if err := stranger.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the stranger was stopped: %v", err)
	}
}
