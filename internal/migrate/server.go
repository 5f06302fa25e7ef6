package migrate

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// MinServer is the oldest major version of PostgreSQL that Marquee works with.
const MinServer = 15

// ErrServerTooOld means that the server is older than [MinServer].
var ErrServerTooOld = fmt.Errorf("PostgreSQL is too old: Marquee needs version %d or later", MinServer)

// CheckServer checks the version that the server gave when conn was made. The error is [ErrServerTooOld]. There
// is no error if the major version can't be read as a number, as that of a beta.
func CheckServer(conn *pgconn.PgConn) error {
	version := conn.ParameterStatus("server_version")
	major, _, _ := strings.Cut(version, ".")
	if number, err := strconv.Atoi(strings.TrimSpace(major)); err == nil && number < MinServer {
		return fmt.Errorf("%w (this is %s)", ErrServerTooOld, version)
	}
	return nil
}

// Refused returns advice on what to change if err means that the server answers, but refuses us, so that waiting can't help.
// For all other errors it is empty.
func Refused(err error) string {
	if errors.Is(err, ErrServerTooOld) {
		return "upgrade PostgreSQL, or give the URL of a newer one"
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return ""
	}
	// https://www.postgresql.org/docs/current/errcodes-appendix.html
	switch {
	case pg.Code == "28P01":
		return "check user and password in the database URL"
	case pg.Code == "28000":
		return "check the user in the database URL, and the server's pg_hba.conf"
	case pg.Code == "3D000":
		return "check the database's name in the URL, or create it"
	case slices.Contains([]string{"42501", "3F000"}, pg.Code):
		return "the role lacks a right: the schema's owner can grant it, see `marquee migrate up --grant-to`"
	default:
		return ""
	}
}
