package provider

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/fetch"
)

// Codes of failures; those of fetching are fetch's own, in capitals.
const (
	CodeMalformed  = "MALFORMED"
	CodeCancelled  = "CANCELLED"
	CodeSuperseded = "SUPERSEDED"
	CodeRunning    = "RUNNING"
	CodeHeld       = "HELD"
	CodeNotDue     = "NOT_DUE"
	CodeDatabase   = "DATABASE"
	CodeInternal   = "INTERNAL"
)

// Failure says why a sync applied no snapshot: a code for metrics, and whether a later try may succeed without anybody's doing. Any
// error that it does not know is CodeInternal.
func Failure(err error) (code string, temporary bool) {
	var fetched *fetch.Error
	switch {
	case errors.Is(err, event.ErrSuperseded):
		return CodeSuperseded, true
	case errors.Is(err, event.ErrRunning):
		return CodeRunning, true
	case errors.Is(err, event.ErrUnavailable):
		return CodeDatabase, true
	case errors.Is(err, event.ErrNotDue):
		return CodeNotDue, true
	case errors.Is(err, event.ErrHeld), errors.Is(err, event.ErrNotHeld):
		return CodeHeld, false
	case errors.Is(err, event.ErrMalformed):
		return CodeMalformed, false
	case errors.As(err, &fetched) && fetched.Code != fetch.CodeCanceled:
		return strings.ToUpper(string(fetched.Code)), fetched.Temporary()
	case fetched != nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return CodeCancelled, true
	default:
		return CodeInternal, false
	}
}

// RetryAfter is how long the provider asked to wait before the next request, if err is its refusal to answer; 0 if it did not say.
func RetryAfter(err error) time.Duration {
	var fetched *fetch.Error
	if !errors.As(err, &fetched) {
		return 0
	}
	return fetched.RetryAfter
}
