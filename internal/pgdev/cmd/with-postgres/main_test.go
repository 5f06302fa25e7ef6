package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test binary with-postgres itself.
const asProgram = "MARQUEE_WITH_POSTGRES_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(run(os.Args[1:], os.Stderr))
	}
	os.Exit(m.Run())
}

// program prepares with-postgres without a server in the environment, and with
// its own directory for files, which its server's user can enter.
func program(t *testing.T, args ...string) (*exec.Cmd, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "with-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], args...)
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, variable+"=") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, asProgram+"=1", "TMPDIR="+dir)
	return cmd, dir
}

func servers(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "marquee-pg-*", "*", "data"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args []string
		want int
	}{
		{"none", nil, exitUsage},
		{"only dashes", []string{"--"}, exitUsage},
		{"works", []string{"--", "sh", "-c", `test -n "$MARQUEE_TEST_DATABASE_URL"`}, 0},
		{"without dashes", []string{"sh", "-c", "exit 7"}, 7},
		{"killed", []string{"--", "sh", "-c", "kill -9 $$"}, 128 + 9},
		{"not found", []string{"--", "/no/such/program"}, exitNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd, dir := program(t, tt.args...)
			out, _ := cmd.CombinedOutput() // the code says it
			if got := cmd.ProcessState.ExitCode(); got != tt.want {
				t.Errorf("got exit code %d, want %d; output:\n%s", got, tt.want, out)
			}
			if left := servers(t, dir); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestServerGiven(t *testing.T) {
	t.Parallel()
	cmd, dir := program(t, "--", "sh", "-c", "echo $"+variable)
	cmd.Env = append(cmd.Env, variable+"=postgres://elsewhere")
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "postgres://elsewhere\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if made := servers(t, dir); len(made) > 0 {
		t.Errorf("started one besides: %v", made)
	}
}

// TestSignals: a signal reaches the command and the processes that it started.
// The server is stopped after them.
func TestSignals(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			// In the foreground: what a shell starts with & ignores SIGINT.
			script := `trap 'echo caught; exit 3' INT TERM
				bash -c 'trap "echo child; exit" INT TERM; echo ready; while :; do sleep 0.05; done'`
			cmd, dir := program(t, "--", "bash", "-c", script)
			var rest bytes.Buffer
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			giveUp := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
			defer giveUp.Stop()
			buf := make([]byte, len("ready\n"))
			if _, err := out.Read(buf); err != nil {
				t.Fatal(err)
			}
			if len(servers(t, dir)) != 1 {
				t.Error("no server while the command runs")
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if _, err := rest.ReadFrom(out); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // the code says it
			if got := cmd.ProcessState.ExitCode(); got != 3 {
				t.Errorf("got exit code %d, want 3", got)
			}
			if got := rest.String(); !strings.Contains(got, "caught") || !strings.Contains(got, "child") {
				t.Errorf("the signal did not reach both: %q", got)
			}
			if left := servers(t, dir); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
