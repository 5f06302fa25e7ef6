// Package migrate has the schema as ent generates it, and the migrations that make it.
package migrate

import (
	"embed"
	"io/fs"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Files are the migrations, reviewed SQL in goose's format, oldest first by name.
func Files() fs.FS {
	sub, err := fs.Sub(embedded, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}
