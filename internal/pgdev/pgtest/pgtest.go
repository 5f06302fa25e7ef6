// Package pgtest gives each test a PostgreSQL database of its own. It is cloned,
// in a fraction of a second, from a template that has all migrations, and is
// dropped when the test has passed. The database of a failed test stays as long
// as its server runs; its URL is in the test's log.
//
// The server is the one that MARQUEE_TEST_DATABASE_URL names (the URL of a
// superuser). cmd/with-postgres sets it for a whole `go test ./...`. If it is not
// set, each test process starts its own server, which dies with the process.
package pgtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx" that pgtestdb opens
	"github.com/peterldowns/pgtestdb"

	entmigrate "github.com/aledotdev/marquee/ent/migrate"
	"github.com/aledotdev/marquee/internal/migrate"
	"github.com/aledotdev/marquee/internal/pgdev"
)

// Variable is the environment variable that names the server for all tests: the
// URL of a superuser.
const Variable = "MARQUEE_TEST_DATABASE_URL"

// maxConns bounds a test's pool, so that many tests fit on one server.
const maxConns = 8

// Pool is a pool of connections to a new, migrated database. It is closed when
// the test ends. Its user is not a superuser, so that tests have no more rights
// than production has.
func Pool(tb testing.TB) *pgxpool.Pool {
	tb.Helper()
	return open(tb, URL(tb))
}

// URL is the address of a new, migrated database.
func URL(tb testing.TB) string {
	tb.Helper()
	return migrated(tb, entmigrate.Files())
}

// Raw is the address of a new, empty database.
func Raw(tb testing.TB) string {
	tb.Helper()
	return clone(tb, pgtestdb.NoopMigrator{})
}

// AdminURL is the address of the server's own database, for a superuser.
func AdminURL(tb testing.TB) string {
	tb.Helper()
	address, err := server()
	if err != nil {
		tb.Fatalf("no PostgreSQL for the tests (or set %s): %v", Variable, err)
	}
	return address
}

func open(tb testing.TB, address string) *pgxpool.Pool {
	tb.Helper()
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		tb.Fatal(err)
	}
	config.MaxConns = maxConns
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(pool.Close)
	return pool
}

// migrated is URL for the given migrations.
func migrated(tb testing.TB, files fs.FS) string {
	tb.Helper()
	return clone(tb, migrator{files})
}

// clone makes the database. pgtestdb makes the template only once, under an
// advisory lock, however many tests and packages need it.
func clone(tb testing.TB, m pgtestdb.Migrator) string {
	tb.Helper()
	admin, err := pgx.ParseConfig(AdminURL(tb))
	if err != nil {
		tb.Fatal(err)
	}
	// pgtestdb joins its fields to host:port, which cannot hold the path of a
	// socket. So host and port go into the query, where pgx looks, too.
	made := pgtestdb.Custom(tb, pgtestdb.Config{
		DriverName: "pgx",
		User:       url.QueryEscape(admin.User),
		Password:   url.QueryEscape(admin.Password),
		Database:   admin.Database,
		Options:    where(admin),
	}, m)
	return made.URL()
}

// where is the query part of a URL that leads to the same server.
func where(c *pgx.ConnConfig) string {
	query := url.Values{"host": {c.Host}, "port": {strconv.Itoa(int(c.Port))}}
	if c.TLSConfig == nil {
		query.Set("sslmode", "disable")
	}
	return query.Encode()
}

// server is the URL of the server. The first call starts one if none is named.
//
//nolint:gochecknoglobals // one server a process is what the package is for
var server = sync.OnceValues(func() (string, error) {
	if address := os.Getenv(Variable); address != "" {
		return address, nil
	}
	s, err := pgdev.Start(context.Background(), pgdev.Options{
		Ephemeral: true,
		Settings:  map[string]string{"max_connections": "200"},
	})
	if err != nil {
		return "", err
	}
	// It is never stopped, because there is no hook at the end of a test process.
	// It dies with the process, and the next one to start removes its directory.
	return s.URL("postgres"), nil
})

// migrator tells pgtestdb how to make the template.
type migrator struct{ files fs.FS }

// Hash names the template. The same files have the same template.
func (m migrator) Hash() (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(m.files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(m.files, path)
		fmt.Fprintf(sum, "%q %d\n", path, len(text))
		sum.Write(text)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil))[:32], err
}

func (m migrator) Migrate(ctx context.Context, _ *sql.DB, template pgtestdb.Config) error {
	up, err := migrate.New(template.URL(), m.files, migrate.Options{})
	if err != nil {
		return err
	}
	applied, err := up.Up(ctx)
	if err == nil && len(applied) == 0 {
		err = errors.New("no migration was applied to a new database")
	}
	return err
}
