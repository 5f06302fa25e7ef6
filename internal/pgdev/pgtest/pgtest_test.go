package pgtest

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func scan[T any](t *testing.T, pool *pgxpool.Pool, sql string, args ...any) (v T) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func files(sql string) fstest.MapFS {
	return fstest.MapFS{"1_first.sql": {Data: []byte("-- +goose Up\n" + sql)}}
}

func TestPool(t *testing.T) {
	t.Parallel()
	pool := Pool(t)
	if n := scan[int](t, pool, "SELECT count(*) FROM marquee_schema_version WHERE version_id > 0"); n == 0 {
		t.Error("the database has no migrations")
	}
	if scan[string](t, pool, "SHOW is_superuser") != "off" {
		t.Error("the test is a superuser")
	}
}

// TestOwnDatabase: tests at the same time don't see each other's rows.
func TestOwnDatabase(t *testing.T) {
	t.Parallel()
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			pool := open(t, migrated(t, files("CREATE TABLE rows (n int);")))
			t.Logf("took %v", time.Since(began))
			if n := scan[int](t, pool, "SELECT count(*) FROM rows"); n != 0 {
				t.Errorf("a new database has %d rows", n)
			}
			if _, err := pool.Exec(t.Context(), "INSERT INTO rows VALUES (1)"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestTemplatePerMigrations(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"one", "two"} {
		pool := open(t, migrated(t, files("CREATE TABLE "+table+" (n int);")))
		if got := scan[string](t, pool, "SELECT string_agg(relname, ',') FROM pg_class WHERE relname IN ('one', 'two')"); got != table {
			t.Errorf("tables are %s, want %s", got, table)
		}
	}
}

func TestRaw(t *testing.T) {
	t.Parallel()
	pool := open(t, Raw(t))
	if n := scan[int](t, pool, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); n != 0 {
		t.Errorf("an empty database has %d tables", n)
	}
}

// TestDropped: a passed test leaves nothing.
func TestDropped(t *testing.T) { //nolint:tparallel // the subtest must be over before we look
	t.Parallel()
	var name string
	t.Run("uses one", func(t *testing.T) {
		name = scan[string](t, Pool(t), "SELECT current_database()")
	})
	if scan[bool](t, open(t, AdminURL(t)), "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name) {
		t.Errorf("database %s is still there", name)
	}
}

func TestAdminURL(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), AdminURL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var super string
	if err := conn.QueryRow(t.Context(), "SHOW is_superuser").Scan(&super); err != nil || super != "on" {
		t.Errorf("superuser: %s, %v", super, err)
	}
	if address := os.Getenv(Variable); address == "" && !strings.HasPrefix(conn.Config().Host, "/") {
		t.Errorf("a private server is at %s, want a Unix socket", conn.Config().Host)
	}
}
