// Package draft writes the difference between the migrations and the ent schema as a new migration.
// It is apart from package migrate so that the program does not link what only development needs.
package draft

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/aledotdev/marquee/ent/migrate"
)

// register makes pgx the driver of the name under which ent looks for one.
//
//nolint:gochecknoglobals // database/sql has one registry for all.
var register = sync.OnceFunc(func() {
	if !slices.Contains(sql.Drivers(), dialect.Postgres) {
		sql.Register(dialect.Postgres, stdlib.GetDefaultDriver())
	}
})

// Write replays the migrations in dir on the empty database at url. Where the result is not the ent
// schema it writes the missing statements to a new file in dir and returns its path, else "".
func Write(ctx context.Context, url, dir, name string) (string, error) {
	register()
	// Atlas wants a checksum file beside the migrations, which would have to be renewed after each
	// review of a draft. git does the same better: the comparison runs on a copy.
	scratch, err := os.MkdirTemp("", "marquee-migrations-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	if err := os.CopyFS(scratch, os.DirFS(dir)); err != nil {
		return "", fmt.Errorf("copying the migrations: %w", err)
	}
	before, err := files(scratch)
	if err != nil {
		return "", err
	}
	if err := diff(ctx, url, scratch, name); err != nil {
		return "", fmt.Errorf("comparing migrations and ent schema: %w", err)
	}
	after, err := files(scratch)
	if err != nil || len(after) == len(before) {
		return "", err
	}
	// Its name begins with the time by this machine's clock, so that it need not be the last.
	draft := after[slices.IndexFunc(after, func(path string) bool { return !slices.Contains(before, path) })]
	data, err := os.ReadFile(draft)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, filepath.Base(draft))
	return path, os.WriteFile(path, data, 0o644)
}

func files(dir string) ([]string, error) { return filepath.Glob(filepath.Join(dir, "*.sql")) }

func diff(ctx context.Context, url, dir, name string) error {
	migrations, err := sqltool.NewGooseDir(dir)
	if err != nil {
		return err
	}
	sum, err := migrations.Checksum()
	if err != nil {
		return err
	}
	if err := atlas.WriteSumFile(migrations, sum); err != nil {
		return err
	}
	return migrate.NamedDiff(ctx, url, name,
		schema.WithDir(migrations),
		schema.WithMigrationMode(schema.ModeReplay),
		schema.WithDialect(dialect.Postgres),
		schema.WithFormatter(sqltool.GooseFormatter),
		schema.WithDropColumn(true),
		schema.WithDropIndex(true),
	)
}
