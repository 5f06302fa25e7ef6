package httpapi

import (
	"bufio"
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/httpapi/ratelimit"
)

const requestIDHeader = "X-Request-Id" // in the form in which net/http keeps it

type requestIDKey struct{}

// RequestID is the id of the request that ctx belongs to, as log lines have it; empty if ctx belongs to none.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// exchange is one request and its answer. It is the request's context, which knows the id, and also the writer of the answer, which notes
// status and size: both in one, so that each request costs one allocation.
type exchange struct {
	context.Context //nolint:containedctx // It is one.
	http.ResponseWriter
	id     [1]string // an array, since a slice of it is the value of a header
	status int       // 0: nothing yet
	bytes  int64
}

// Value implements context.Context.
func (e *exchange) Value(key any) any {
	switch key {
	case requestIDKey{}:
		return e.id[0]
	case exchangeKey{}:
		return e
	}
	return e.Context.Value(key)
}

type exchangeKey struct{}

// WriteHeader implements http.ResponseWriter.
func (e *exchange) WriteHeader(status int) {
	if e.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		e.status = status
	}
	e.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (e *exchange) Write(b []byte) (int, error) {
	if e.status == 0 {
		e.status = http.StatusOK
	}
	n, err := e.ResponseWriter.Write(b)
	e.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher, which transports of GraphQL look for.
func (e *exchange) Flush() {
	if e.status == 0 {
		e.status = http.StatusOK
	}
	_ = http.NewResponseController(e.ResponseWriter).Flush() // a client that has left is no error of ours
}

// Hijack implements http.Hijacker. A WebSocket goes on under the request's context, maybe for hours; what the server answers by, with
// its buffers of some 10 KiB, is let go here, or the context would hold it.
func (e *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(e.ResponseWriter).Hijack()
	if err == nil {
		e.ResponseWriter = takenOver{e.ResponseWriter.Header()}
	}
	return conn, buffers, err
}

// takenOver answers on a connection that is not the server's any more. Who took it over reads in the header what was agreed on.
type takenOver struct{ header http.Header }

// Header implements http.ResponseWriter.
func (t takenOver) Header() http.Header { return t.header }

// WriteHeader implements http.ResponseWriter.
func (takenOver) WriteHeader(int) {}

// Write implements http.ResponseWriter.
func (takenOver) Write([]byte) (int, error) { return 0, http.ErrHijacked }

// Unwrap is for http.ResponseController.
func (e *exchange) Unwrap() http.ResponseWriter { return e.ResponseWriter }

// observe gives each request an id, logs it at debug level and counts it. An id that the client or a proxy has set is kept if it is well-formed.
func observe(log *slog.Logger, m *metrics, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, outer *http.Request) {
		began := time.Now()
		id := outer.Header.Get(requestIDHeader)
		if !isRequestID(id) {
			id = rand.Text()
		}
		e := &exchange{Context: outer.Context(), ResponseWriter: w, id: [1]string{id}}
		w.Header()[requestIDHeader] = e.id[:]
		r := outer.WithContext(e)
		defer func() { // the answer may end in a panic that cuts it off
			outer.Pattern = r.Pattern // for the handlers around this one
			took := time.Since(began)
			m.observe(r, e.status, took)
			if log.Enabled(e, slog.LevelDebug) {
				log.LogAttrs(e, slog.LevelDebug, "request",
					slog.String("method", clip(r.Method)), slog.String("path", clip(r.URL.Path)), slog.String("query", clip(r.URL.RawQuery)),
					slog.Int("status", e.status), slog.Int64("bytes", e.bytes), slog.Duration("took", took))
			}
		}()
		next.ServeHTTP(e, r)
		if e.status == 0 { // net/http sends it when the handler has said nothing
			e.status = http.StatusOK
		}
	})
}

func isRequestID(id string) bool {
	const maxLength = 64
	alien := func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' && c != '.'
	}
	return id != "" && len(id) <= maxLength && !strings.ContainsFunc(id, alien)
}

// secured are the headers that keep browsers from taking data for anything else. The pages replace them by their own, and add those that
// matter to pages alone: a header costs time in every answer, and with more than eight their map has to grow. The values are shared by all
// answers and may not be changed.
//
//nolint:gochecknoglobals // a constant table
var secured = []struct {
	name  string
	value []string
}{
	{"X-Content-Type-Options", []string{"nosniff"}},
	{"Content-Security-Policy", []string{"default-src 'none'; frame-ancestors 'none'"}},
}

func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for _, s := range secured {
			h[s.name] = s.value
		}
		next.ServeHTTP(w, r)
	})
}

// known refuses requests with an API key that is not known.
func known(limiter *ratelimit.Limiter, next http.Handler) http.Handler {
	if limiter == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header[ratelimit.KeyHeader]) > 0 {
			if _, ok := limiter.Client(r); !ok {
				unauthenticated(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// rescue answers for a handler that panics, or cuts the connection off if the handler has begun to answer.
func (s *Server) rescue(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler { //nolint:errorlint // A panic's value, compared as net/http does.
				panic(v)
			}
			s.log.LogAttrs(r.Context(), slog.LevelError, "panic", append(s.panics.Attrs(v), slog.String("path", clip(r.URL.Path)))...)
			if e, ok := r.Context().Value(exchangeKey{}).(*exchange); ok && e.status != 0 {
				panic(http.ErrAbortHandler)
			}
			writeFailure(w, r, internal())
		}()
		next.ServeHTTP(w, r)
	})
}

// clip shortens a text from a request for the log, to 256 bytes.
func clip(s string) string {
	const maxLength = 256
	if len(s) > maxLength {
		return s[:maxLength] + "…"
	}
	return s
}
