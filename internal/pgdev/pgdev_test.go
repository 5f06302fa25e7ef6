package pgdev_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/pgdev"
)

// dirVariable makes the test binary a program that runs a server there until it
// is killed. It stands in for `marquee dev`.
const dirVariable = "MARQUEE_PGDEV_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(dirVariable); dir != "" {
		o := pgdev.Options{Dir: dir}
		if os.Getenv(dirVariable+"_TEMP") != "" {
			o = pgdev.Options{Ephemeral: true}
		}
		s, err := pgdev.Start(context.Background(), o)
		if err != nil {
			fmt.Fprintln(os.Stdout, "error:", err)
			os.Exit(1)
		}
		fmt.Fprintln(os.Stdout, "ready:", s.Dir())
		select {} // killed by the test
	}
	os.Exit(m.Run())
}

// tempDir is a directory that the server's user can reach, which t.TempDir is
// not when the tests run as root.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgdev-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

func start(t *testing.T, o pgdev.Options) *pgdev.Server {
	t.Helper()
	s, err := pgdev.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *pgdev.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func connect(t *testing.T, s *pgdev.Server, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func query[T any](t *testing.T, conn *pgx.Conn, sql string) (v T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func execute(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// processes counts the PostgreSQL processes of a directory.
func processes(t *testing.T, dir string) (pids []int) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc, which only Linux has")
	}
	dirs, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range dirs {
		if cwd, err := os.Readlink(link); err == nil && strings.HasPrefix(cwd, dir+"/") {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(link)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// eventually polls until something is true that another process is about to do.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

func TestServer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(tempDir(t), "made", "by", "start")
	s := start(t, pgdev.Options{Dir: dir, Settings: map[string]string{"work_mem": "5MB"}})
	conn := connect(t, s, "postgres")
	for sql, want := range map[string]string{
		"SHOW listen_addresses": "",
		"SHOW server_encoding":  "UTF8",
		"SHOW data_checksums":   "on",
		"SHOW fsync":            "on",
		"SHOW work_mem":         "5MB",
		"SHOW TimeZone":         "UTC",
		"SELECT datcollate FROM pg_database WHERE datname = 'template1'": "C.UTF-8",
	} {
		if got := query[string](t, conn, sql); got != want {
			t.Errorf("%s: got %q, want %q", sql, got, want)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "run"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("socket directory: %v, %v, want mode 0700", info.Mode(), err)
	}

	for range 2 { // the second time it exists
		if err := s.EnsureDatabase(t.Context(), `odd "name"`); err != nil {
			t.Fatal(err)
		}
	}
	execute(t, connect(t, s, `odd "name"`), "CREATE TABLE kept AS SELECT 42 AS answer")

	_, err = pgdev.Start(t.Context(), pgdev.Options{Dir: dir})
	if !errors.Is(err, pgdev.ErrInUse) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("second start: got %v, want ErrInUse with our PID", err)
	}

	stop(t, s)
	stop(t, s) // once more does no harm
	if left := processes(t, dir); len(left) > 0 {
		t.Errorf("after Stop these run: %v", left)
	}

	began := time.Now()
	s = start(t, pgdev.Options{Dir: dir})
	t.Logf("warm start took %v", time.Since(began))
	if got := query[int](t, connect(t, s, `odd "name"`), "SELECT answer FROM kept"); got != 42 {
		t.Errorf("data after restart: got %d, want 42", got)
	}
}

func TestStartAfterHalfInitdb(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	half := filepath.Join(dir, "data.new-123")
	if err := os.MkdirAll(filepath.Join(half, "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(half, "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, pgdev.Options{Dir: dir, Ephemeral: true})
	query[int](t, connect(t, s, "postgres"), "SELECT 1")
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("the half-made cluster is still there: %v", err)
	}
}

func TestLongPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(tempDir(t), strings.Repeat("long", 30), `with space, comma and "quote"`)
	s := start(t, pgdev.Options{Dir: dir, Ephemeral: true})
	query[int](t, connect(t, s, "postgres"), "SELECT 1")
	if _, err := os.Stat(filepath.Join(dir, "run")); !os.IsNotExist(err) {
		t.Errorf("a socket directory too long to use was made: %v", err)
	}
	odd := start(t, pgdev.Options{Dir: filepath.Join(tempDir(t), `a, "b"+%`), Ephemeral: true})
	query[int](t, connect(t, odd, "postgres"), "SELECT 1")
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	t.Run("bad setting", func(t *testing.T) {
		t.Parallel()
		dir := tempDir(t)
		_, err := pgdev.Start(t.Context(), pgdev.Options{Dir: dir, Ephemeral: true, Settings: map[string]string{"no_such_setting": "1"}})
		if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
			t.Errorf("got %v, want an error with the log's last lines", err)
		}
		start(t, pgdev.Options{Dir: dir, Ephemeral: true}) // the lock was given back
	})
	t.Run("other version", func(t *testing.T) {
		t.Parallel()
		dir := tempDir(t)
		if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := pgdev.Start(t.Context(), pgdev.Options{Dir: dir}); !errors.Is(err, pgdev.ErrVersionMismatch) {
			t.Errorf("got %v, want ErrVersionMismatch", err)
		}
	})
	t.Run("not ours", func(t *testing.T) {
		t.Parallel()
		dir := tempDir(t)
		precious := filepath.Join(dir, "data", "precious")
		if err := os.MkdirAll(precious, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := pgdev.Start(t.Context(), pgdev.Options{Dir: dir}); err == nil {
			t.Error("started in a directory with something else in it")
		}
		if _, err := os.Stat(precious); err != nil {
			t.Errorf("the content is gone: %v", err)
		}
	})
	t.Run("closed directory", func(t *testing.T) {
		t.Parallel()
		if os.Geteuid() != 0 {
			t.Skip("only root runs the server as another user")
		}
		closed := tempDir(t)
		if err := os.Chmod(closed, 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := pgdev.Start(t.Context(), pgdev.Options{Dir: filepath.Join(closed, "dev")})
		if !errors.Is(err, pgdev.ErrUnreachable) || !strings.Contains(err.Error(), closed) {
			t.Errorf("got %v, want ErrUnreachable that names %s", err, closed)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		dir := tempDir(t)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // in the middle of initdb
		defer cancel()
		if _, err := pgdev.Start(ctx, pgdev.Options{Dir: dir}); err == nil {
			t.Fatal("started in 50 ms")
		}
		start(t, pgdev.Options{Dir: dir, Ephemeral: true})
		if left, _ := filepath.Glob(filepath.Join(dir, "data.new-*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}
