package migrate

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Access is what a role may do with the data. No access lets it change a table.
type Access int

const (
	// ReadWrite is what a sync needs.
	ReadWrite Access = iota
	// ReadOnly is what the API needs.
	ReadOnly
)

// Grant gives a role access to all tables of the schema, and to those that later migrations make. It has to run as
// the owner of the tables, after the first migration, and may be repeated. role is a plain name, not SQL, and has to exist. The error is
// PostgreSQL's; then nothing was granted.
func (m *Migrator) Grant(ctx context.Context, role string, access Access) error {
	conn, err := pgx.ConnectConfig(ctx, m.config)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var database, schema string
	if err := conn.QueryRow(ctx, "SELECT current_database(), current_schema()").Scan(&database, &schema); err != nil {
		return err
	}
	statements := strings.NewReplacer(
		"$database", pgx.Identifier{database}.Sanitize(),
		"$schema", pgx.Identifier{schema}.Sanitize(),
		"$role", pgx.Identifier{role}.Sanitize(),
	).Replace(grants[access])
	// All or nothing: PostgreSQL runs several statements without arguments in one transaction.
	_, err = conn.PgConn().Exec(ctx, statements).ReadAll()
	return err
}

//nolint:gochecknoglobals // a constant table
var grants = map[Access]string{
	ReadWrite: `
		GRANT CONNECT, TEMPORARY ON DATABASE $database TO $role;
		GRANT USAGE ON SCHEMA $schema TO $role;
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA $schema TO $role;
		GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA $schema TO $role;
		REVOKE INSERT, UPDATE, DELETE ON ` + Table + ` FROM $role;
		ALTER DEFAULT PRIVILEGES IN SCHEMA $schema GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO $role;
		ALTER DEFAULT PRIVILEGES IN SCHEMA $schema GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO $role`,
	ReadOnly: `
		GRANT CONNECT ON DATABASE $database TO $role;
		GRANT USAGE ON SCHEMA $schema TO $role;
		GRANT SELECT ON ALL TABLES IN SCHEMA $schema TO $role;
		ALTER DEFAULT PRIVILEGES IN SCHEMA $schema GRANT SELECT ON TABLES TO $role`,
}
