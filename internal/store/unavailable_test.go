package store

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestIsTemporary(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{"08006": true, "40001": true, "53300": true, "57P01": true, "55P03": true, "25P03": true, "25006": true, "42P01": false, "23505": false} {
		if got := isTemporary(&pgconn.PgError{Code: code}); got != want {
			t.Errorf("%s: %t", code, got)
		}
	}
}
