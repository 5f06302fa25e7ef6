package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/aledotdev/marquee/internal/event"
)

// markUnavailable adds event.ErrUnavailable to an error that may be gone at another try: a lost or refused
// connection, and the SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html) of a server
// that is stopping, full or busy, that has ended an idle transaction, or that is read-only, as a standby is until it is promoted.
func markUnavailable(err *error) {
	if *err == nil || errors.Is(*err, context.Canceled) || !isTemporary(*err) {
		return
	}
	*err = fmt.Errorf("%w: %w", event.ErrUnavailable, *err)
}

func isTemporary(err error) bool {
	if answered, ok := errors.AsType[*pgconn.PgError](err); ok {
		codes := []string{"55P03", "25P03", "25006"} // lock not available, idle in transaction, read-only
		classes := []string{"08", "40", "53", "57"}  // connection, serialization, resources, operator intervention
		return slices.Contains(codes, answered.Code) || slices.Contains(classes, answered.Code[:2])
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[net.Error](err)
	return connecting || network || pgconn.SafeToRetry(err) || pgconn.Timeout(err)
}
