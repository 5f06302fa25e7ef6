package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// ErrTemporary is what errors.Is finds in an [*Error] if the same request may
// succeed later, without anybody changing anything.
var ErrTemporary = errors.New("temporary")

// ErrNoBody is returned by [Snapshot.Open] if the snapshot has no body, or is
// closed.
var ErrNoBody = errors.New("fetch: snapshot has no body")

// Code says in one word what went wrong. Codes don't change from release to
// release, so that they can be labels of metrics.
type Code string

// The codes.
const (
	CodeRequest   Code = "request"   // the URL or a header cannot be sent
	CodeAddress   Code = "address"   // the address policy refused to dial
	CodeRedirect  Code = "redirect"  // too many, to nowhere, or from https to http
	CodeNetwork   Code = "network"   // DNS failed, connection refused or reset, not HTTP
	CodeTLS       Code = "tls"       // certificate or protocol
	CodeTimeout   Code = "timeout"   // a time limit has passed, or the body came too slowly
	CodeStatus    Code = "status"    // neither 200 nor a 304 that we asked for
	CodeTooLarge  Code = "too_large" // too many bytes, as sent or unpacked
	CodeRatio     Code = "ratio"     // unpacks to suspiciously many bytes
	CodeTruncated Code = "truncated" // the body ended early
	CodeCorrupt   Code = "corrupt"   // the packed body does not unpack
	CodeEncoding  Code = "encoding"  // packed in a way that we did not ask for
	CodeEmpty     Code = "empty"     // no body, or nothing but white space
	CodeHTML      Code = "html"      // a web page where a feed should be
	CodeSpool     Code = "spool"     // the body cannot be written to our own disk
	CodeCanceled  Code = "canceled"  // the caller's context ended
)

// Error is the only error type of [Client.Get].
type Error struct {
	Code   Code
	Status int // of the last answer; 0 if there was none
	// URL is where the error occurred, as [Redact] shows it. After redirects it
	// is not the URL that was asked for.
	URL string
	// RetryAfter is how long the provider asked to be left alone, at most
	// [Limits.NextCheck]; 0 if it did not ask.
	RetryAfter time.Duration
	Attempts   int   // made so far
	Err        error // never nil; its text has no credential in it
}

// Error returns one line for an operator.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("fetch")
	if e.URL != "" {
		b.WriteString(" " + e.URL)
	}
	b.WriteString(": " + e.Err.Error())
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (attempt %d)", e.Attempts)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, "; the provider asks to wait %s", e.RetryAfter)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, [ErrTemporary]) ask [Error.Temporary].
func (e *Error) Is(target error) bool { return target == ErrTemporary && e.Temporary() }

// Temporary reports whether the same request may succeed later. It may after an
// HTML page instead of a feed: nearly always that is a maintenance page.
func (e *Error) Temporary() bool {
	switch e.Code {
	case CodeStatus:
		return temporaryStatus(e.Status)
	case CodeNetwork, CodeTimeout, CodeTruncated, CodeCorrupt, CodeEmpty, CodeHTML, CodeSpool, CodeCanceled:
		return true
	default:
		return false
	}
}

func temporaryStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	default:
		return status >= 500
	}
}

func fail(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// classify turns any error of the standard library into an *Error. If the
// context has ended, its cause counts: a connection that we closed ourselves may
// report any error.
func classify(ctx context.Context, err error, inBody bool) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if cause := context.Cause(ctx); cause != nil {
		if errors.As(cause, &e) {
			return e
		}
		return fail(CodeCanceled, "stopped: %w", cause)
	}
	var (
		timeout interface{ Timeout() bool }
		cert    *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		op      *net.OpError
		host    x509.HostnameError
	)
	switch {
	case errors.As(err, &cert), errors.As(err, &record), errors.As(err, &host),
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"): // TLS alerts
		return fail(CodeTLS, "no secure connection: %w", err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fail(CodeTimeout, "no connection in time: %w", err)
	case inBody && errors.Is(err, io.ErrUnexpectedEOF):
		return fail(CodeTruncated, "the body ended early: %w", err)
	case inBody:
		return fail(CodeNetwork, "the body broke off: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		return fail(CodeNetwork, "closed without an answer: %w", err)
	default:
		return fail(CodeNetwork, "no answer: %w", err)
	}
}
