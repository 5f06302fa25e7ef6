package harness

import (
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Row is one row of a table: where it lies and who wrote it, which is other after every write, and what
// it holds.
type Row struct {
	Ctid, Xmin string
	Content    string // as JSON
}

// Tables lists the catalog's tables.
func (a *App) Tables() []string {
	a.TB.Helper()
	return Query[string](a, `SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'public' AND relname <> 'marquee_schema_version' ORDER BY 1`)
}

// Rows reads every row of every table but those named.
func (a *App) Rows(but ...string) map[string][]Row {
	a.TB.Helper()
	all := map[string][]Row{}
	for _, table := range a.Tables() {
		if slices.Contains(but, table) {
			continue
		}
		sql := fmt.Sprintf(`SELECT ctid::text, xmin::text, to_jsonb(t)::text FROM %s t ORDER BY 3`, pgx.Identifier{table}.Sanitize())
		rows, err := a.Pool.Query(a.TB.Context(), sql)
		if err == nil {
			all[table], err = pgx.CollectRows(rows, pgx.RowToStructByPos[Row])
		}
		if err != nil {
			a.TB.Fatalf("reading %s: %v", table, err)
		}
	}
	return all
}

// Query reads one column.
func Query[T any](a *App, sql string, args ...any) []T {
	a.TB.Helper()
	rows, err := a.Pool.Query(a.TB.Context(), sql, args...)
	if err != nil {
		a.TB.Fatalf("%s: %v", sql, err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		a.TB.Fatalf("%s: %v", sql, err)
	}
	return values
}

// One reads one value.
func One[T any](a *App, sql string, args ...any) T {
	a.TB.Helper()
	values := Query[T](a, sql, args...)
	if len(values) != 1 {
		a.TB.Fatalf("%s: %d rows, want 1", sql, len(values))
	}
	return values[0]
}

// Exec runs a statement.
func (a *App) Exec(sql string, args ...any) {
	a.TB.Helper()
	if _, err := a.Pool.Exec(a.TB.Context(), sql, args...); err != nil {
		a.TB.Fatalf("%s: %v", sql, err)
	}
}
