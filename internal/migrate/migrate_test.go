package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/migrate"
	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
)

// files makes migrations 1, 2, 3… of the SQL.
func files(up ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i, text := range up {
		m[fmt.Sprintf("%d_step.sql", i+1)] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + text)}
	}
	return m
}

const (
	first  = "CREATE TABLE a (n int);"
	second = "INSERT INTO a VALUES (2); CREATE TABLE b (n int);"
	third  = "INSERT INTO a VALUES (3);"
)

func newMigrator(t *testing.T, url string, m fstest.MapFS) *migrate.Migrator {
	t.Helper()
	migrator, err := migrate.New(url, m, migrate.Options{PollInterval: 10 * time.Millisecond, LockTimeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return migrator
}

// contracts is a migration that takes something away from programs that don't know version least.
func contracts(least int) string {
	return fmt.Sprintf("CREATE TABLE catalog (id int, min_schema bigint); INSERT INTO catalog VALUES (1, %d);", least)
}

func up(t *testing.T, url string, m fstest.MapFS) {
	t.Helper()
	if _, err := newMigrator(t, url, m).Up(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
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

// advisoryLocks counts the advisory locks in the test's database.
const advisoryLocks = `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
	AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

func TestUp(t *testing.T) {
	t.Parallel()
	url := pgtest.Raw(t)
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  []int64
	}{
		{"first", files(first), []int64{1}},
		{"nothing new", files(first), nil},
		{"two more", files(first, second, third), []int64{2, 3}},
		{"an older program", files(first), nil},
	} {
		applied, err := newMigrator(t, url, tt.files).Up(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		var got []int64
		for _, s := range applied {
			got = append(got, s.Version)
			if s.Pending() || s.Name != fmt.Sprintf("%d_step.sql", s.Version) {
				t.Errorf("%s: got %+v", tt.name, s)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: applied (-want +got):\n%s", tt.name, diff)
		}
	}
	conn := connect(t, url)
	if got := query[string](t, conn, "SELECT string_agg(n::text, ',' ORDER BY n) FROM a"); got != "2,3" {
		t.Errorf("rows are %s, want 2,3", got)
	}
	if n := query[int](t, conn, advisoryLocks); n != 0 {
		t.Errorf("%d locks are left", n)
	}
}

// TestUpTogether: one waits for the others, and every migration runs once.
func TestUpTogether(t *testing.T) {
	t.Parallel()
	url := pgtest.Raw(t)
	const programs = 4
	m := files(first, "INSERT INTO a VALUES (1); SELECT pg_sleep(0.3);")
	// CREATE INDEX CONCURRENTLY waits for all snapshots, so the other programs must not wait for it inside a statement.
	m["3_step.sql"] = &fstest.MapFile{
		Data: []byte("-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY a_n ON a (n);"),
	}
	type outcome struct {
		applied int
		err     error
	}
	outcomes := make(chan outcome)
	for range programs {
		migrator := newMigrator(t, url, m)
		go func() {
			applied, err := migrator.Up(t.Context())
			outcomes <- outcome{len(applied), err}
		}()
	}
	total := 0
	for range programs {
		o := <-outcomes
		if o.err != nil {
			t.Error(o.err)
		}
		total += o.applied
	}
	if total != 3 {
		t.Errorf("%d migrations were applied in all, want 3", total)
	}
	if n := query[int](t, connect(t, url), "SELECT count(*) FROM a"); n != 1 {
		t.Errorf("the second migration ran %d times", n)
	}
}

// TestUpWaitsForLock: it gives up with ctx, and says what it waited for.
func TestUpWaitsForLock(t *testing.T) {
	t.Parallel()
	url := pgtest.Raw(t)
	holder := connect(t, url)
	if !query[bool](t, holder, "SELECT pg_try_advisory_lock(x'6d61727175656501'::bigint)") {
		t.Fatal("the lock was taken")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := newMigrator(t, url, files(first)).Up(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, migrate.ErrPooler) {
		t.Errorf("got %v, want deadline exceeded", err)
	}
	if err := newMigrator(t, url, files(first)).Check(t.Context()); !errors.Is(err, migrate.ErrUnmigrated) {
		t.Errorf("got %v, want ErrUnmigrated: without the lock not even the version table is made", err)
	}
}

// TestUpFails half-way: the migrations before the failed one stay applied, and
// nothing of the failed one is left.
func TestUpFails(t *testing.T) {
	t.Parallel()
	url := pgtest.Raw(t)
	applied, err := newMigrator(t, url, files(first, "INSERT INTO a VALUES (2); CREATE TABLE b (n int); SELECT 1/0;", third)).Up(t.Context())
	if err == nil || !strings.Contains(err.Error(), "2_step.sql") || !strings.Contains(err.Error(), "division by zero") {
		t.Errorf("got %v, want the file and the reason", err)
	}
	if len(applied) != 1 {
		t.Errorf("applied %d, want 1", len(applied))
	}
	conn := connect(t, url)
	if got := query[int](t, conn, "SELECT max(version_id) FROM "+migrate.Table); got != 1 {
		t.Errorf("version is %d, want 1", got)
	}
	if query[bool](t, conn, "SELECT EXISTS (SELECT FROM a) OR to_regclass('b') IS NOT NULL") {
		t.Error("half of the failed migration is left")
	}
	if n := query[int](t, conn, advisoryLocks); n != 0 {
		t.Errorf("%d locks are left", n)
	}
	up(t, url, files(first, second, third))
}

// TestUpLosesItsConnection: if the session is lost, the lock is, too, so nothing
// may be applied over another connection.
func TestUpLosesItsConnection(t *testing.T) {
	t.Parallel()
	url := pgtest.Raw(t)
	_, err := newMigrator(t, url, files(first, "SELECT pg_terminate_backend(pg_backend_pid());", third)).Up(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	if got := query[int](t, connect(t, url), "SELECT max(version_id) FROM "+migrate.Table); got != 1 {
		t.Errorf("version is %d, want 1", got)
	}
}

// TestUpLosesItsLock: after a migration that releases the lock, none is applied.
func TestUpLosesItsLock(t *testing.T) {
	t.Parallel()
	url := pgtest.Raw(t)
	applied, err := newMigrator(t, url, files(first, "SELECT pg_advisory_unlock_all();", third)).Up(t.Context())
	if !errors.Is(err, migrate.ErrPooler) || len(applied) != 2 {
		t.Errorf("got %d applied, %v, want 2 and ErrPooler", len(applied), err)
	}
}

// TestLockTimeout: a migration does not wait long for a reader, because all
// others would have to wait behind it.
func TestLockTimeout(t *testing.T) {
	t.Parallel()
	url := pgtest.Raw(t)
	up(t, url, files(first))
	reader, err := connect(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Exec(t.Context(), "SELECT FROM a"); err != nil {
		t.Fatal(err)
	}
	m := files(first, "ALTER TABLE a ADD COLUMN m int;")
	if _, err := newMigrator(t, url, m).Up(t.Context()); !errors.Is(err, migrate.ErrLockTimeout) {
		t.Errorf("got %v, want ErrLockTimeout", err)
	}
	if err := reader.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	up(t, url, m)
}

func TestStatusAndCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		has     fstest.MapFS // nil: nothing
		wants   fstest.MapFS
		err     error
		status  string
		message string
	}{
		{"unmigrated", nil, files(first), migrate.ErrUnmigrated, "-1", "marquee migrate up"},
		{"current", files(first, second), files(first, second), nil, "+1+2", ""},
		{"too old", files(first), files(first, second, third), migrate.ErrSchemaTooOld, "+1-2-3", "at version 1, this program needs 3, pending: 2"},
		{"newer", files(first, second), files(first), nil, "+1+2", ""},
		{"newer, and nothing was taken away since", files(first, second, contracts(2)), files(first, second), nil, "+1+2+3", ""},
		{"too new", files(first, second, contracts(2)), files(first), migrate.ErrSchemaTooNew, "+1+2+3", "at version 3 and wants programs that know 2, this one knows up to 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Raw(t)
			if tt.has != nil {
				up(t, url, tt.has)
			}
			m := newMigrator(t, url, tt.wants)
			status, err := m.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, s := range status {
				sign := "+"
				if s.Pending() {
					sign = "-"
				} else if age := time.Since(s.AppliedAt); age < -time.Second || age > time.Minute {
					t.Errorf("version %d was applied at %v", s.Version, s.AppliedAt)
				}
				fmt.Fprintf(&got, "%s%d", sign, s.Version)
			}
			if got.String() != tt.status {
				t.Errorf("got status %s, want %s", &got, tt.status)
			}
			err = m.Check(t.Context())
			if !errors.Is(err, tt.err) || err != nil && !strings.Contains(err.Error(), tt.message) {
				t.Errorf("got %v, want %v with %q", err, tt.err, tt.message)
			}
			if err := m.CheckOn(t.Context(), connect(t, url)); !errors.Is(err, tt.err) {
				t.Errorf("on a connection: got %v, want %v", err, tt.err)
			}
		})
	}
}

// writer passes on what a logger writes.
type writer func(text string)

func (w writer) Write(p []byte) (int, error) {
	w(string(p))
	return len(p), nil
}

// waiter is a migrator that reports the reasons it waits for.
func waiter(t *testing.T, url string, m fstest.MapFS, report func(reason string)) *migrate.Migrator {
	t.Helper()
	migrator, err := migrate.New(url, m, migrate.Options{
		PollInterval: 10 * time.Millisecond,
		Logger:       slog.New(slog.NewTextHandler(writer(report), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return migrator
}

func TestWait(t *testing.T) {
	t.Parallel()
	url := pgtest.Raw(t)
	reasons := make(chan string, 8)
	w := waiter(t, url, files(first, second), func(reason string) { reasons <- reason })
	done := make(chan error, 1)
	go func() { done <- w.Wait(t.Context()) }()
	next := func(want string) {
		t.Helper()
		select {
		case got := <-reasons:
			if !strings.Contains(got, want) {
				t.Errorf("waits because of %q, want %q", got, want)
			}
		case err := <-done:
			t.Fatalf("returned too early: %v", err)
		}
	}
	next("no schema yet")
	up(t, url, files(first))
	next("too old")
	up(t, url, files(first, second, third)) // newer will do
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestWaitTooNew: Wait gives up at once if the schema is too new, because it
// never goes back.
func TestWaitTooNew(t *testing.T) {
	t.Parallel()
	url := pgtest.Raw(t)
	up(t, url, files(first, second, contracts(2)))
	if err := newMigrator(t, url, files(first)).Wait(t.Context()); !errors.Is(err, migrate.ErrSchemaTooNew) {
		t.Errorf("got %v, want ErrSchemaTooNew", err)
	}
}

// TestWaitEnds: Wait ends with ctx, and its error has the last reason for
// waiting. It does not give up because there is no server yet.
func TestWaitEnds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, url, want string }{
		{"unmigrated", pgtest.Raw(t), migrate.ErrUnmigrated.Error()},
		{"no server", "postgres://nobody@/none?host=" + t.TempDir(), "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			err := waiter(t, tt.url, files(first), func(string) { cancel() }).Wait(ctx)
			if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want canceled and %q", err, tt.want)
			}
		})
	}
}

func TestNewFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		url   string
		files fstest.MapFS
		want  string
	}{
		"bad URL":  {"postgres://u:secret@host:port/db", files(first), "database URL"},
		"no files": {"postgres://u@host/db", fstest.MapFS{}, "read migrations"},
		"twice":    {"postgres://u@host/db", fstest.MapFS{"1_a.sql": {}, "01_b.sql": {}}, "read migrations"},
	} {
		_, err := migrate.New(tt.url, tt.files, migrate.Options{})
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want %q without the password", name, err, tt.want)
		}
	}
	// pgxpool's own parameters must not be sent to the server.
	if _, err := migrate.New("postgres://u@host/db?pool_max_conns=3", files(first), migrate.Options{}); err != nil {
		t.Error(err)
	}
}
