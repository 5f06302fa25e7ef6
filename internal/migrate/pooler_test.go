package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/migrate"
	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
)

// pooler starts PgBouncer before the server of the database, and returns the
// database's address through it.
func pooler(t *testing.T, address, settings string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		t.Skip("pgbouncer is not installed (apt-get install pgbouncer)")
	}
	target, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "pgbouncer-") // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := fmt.Sprintf(`[databases]
%s = host=%s port=%d user=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
%s
`, target.Database, target.Host, target.Port, target.User, port, settings)
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, file)
	if os.Geteuid() == 0 { // which PgBouncer refuses; the socket's owner may connect
		info, err := os.Stat(filepath.Join(target.Host, ".s.PGSQL."+strconv.Itoa(int(target.Port))))
		if err != nil {
			t.Skipf("root needs the server's user to run PgBouncer as, which its socket would tell: %v", err)
		}
		owner := info.Sys().(*syscall.Stat_t)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // the error is that it was stopped
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("PgBouncer's log:\n%s", text)
		}
	})
	through := (&url.URL{
		Scheme: "postgres", User: url.User(target.User),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Path: "/" + target.Database, RawQuery: "sslmode=disable",
	}).String()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			conn.Close()
			return through
		}
		select {
		case <-ctx.Done():
			t.Fatalf("PgBouncer does not listen: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestPooler: migrations refuse a pooler that changes sessions, in whatever
// order it hands them out, and leave no lock in its sessions. They accept a
// pooler that gives each client its own session.
func TestPooler(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, settings string
		others         int // clients that leave idle sessions in the pool
		want           error
	}{
		{"transaction", "pool_mode = transaction", 0, migrate.ErrPooler},
		{"transaction, one session", "pool_mode = transaction\ndefault_pool_size = 1", 0, migrate.ErrPooler},
		{"transaction, used before", "pool_mode = transaction", 4, migrate.ErrPooler},
		{"transaction, in turn", "pool_mode = transaction\nserver_round_robin = 1", 4, migrate.ErrPooler},
		{"statement", "pool_mode = statement", 0, migrate.ErrPooler},
		{"session", "pool_mode = session", 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			direct := pgtest.Raw(t)
			through := pooler(t, direct, tt.settings)
			busy(t, through, tt.others)
			_, err := newMigrator(t, through, files(first, second)).Up(t.Context())
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			t.Log(err)
			if n := query[int](t, connect(t, direct), advisoryLocks); n != 0 {
				t.Errorf("%d locks are left", n)
			}
			want := tt.want
			if want != nil {
				want = migrate.ErrUnmigrated
			}
			// Checking the schema works through any pooler.
			if err := newMigrator(t, through, files(first, second)).Check(t.Context()); !errors.Is(err, want) {
				t.Errorf("check through the pooler: got %v, want %v", err, want)
			}
		})
	}
}

// busy leaves that many idle sessions in the pool, by as many transactions at once.
func busy(t *testing.T, address string, clients int) {
	t.Helper()
	var conns []*pgx.Conn
	for range clients {
		conn := connect(t, address)
		if _, err := conn.Exec(t.Context(), "BEGIN"); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	for _, conn := range conns {
		if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
	}
}
