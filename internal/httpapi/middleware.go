package httpapi

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/httpapi/ratelimit"
)

const requestIDHeader = "X-Request-Id"

type requestIDKey struct{}

// RequestID is the id of the request that ctx belongs to, under which the log knows it; empty outside
// of one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// identify gives each request an id: the client's (or a proxy's) own if it is a sane one.
func identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if !isRequestID(id) {
			id = rand.Text()
		}
		w.Header().Set(requestIDHeader, id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

func isRequestID(id string) bool {
	const maxLength = 64
	alien := func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' && c != '.'
	}
	return id != "" && len(id) <= maxLength && !strings.ContainsFunc(id, alien)
}

// secure sets the headers of answers that are data: no browser should make anything else of them. The
// pages set their own over these.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// known refuses API keys that nobody was given.
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

// rescue answers for a handler that panicked. What was begun is cut off.
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
			if o, ok := w.(*observer); ok && o.status != 0 {
				panic(http.ErrAbortHandler)
			}
			writeFailure(w, r, internal())
		}()
		next.ServeHTTP(w, r)
	})
}

// observe logs each request at debug level and counts it.
func observe(log *slog.Logger, m *metrics, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		o := &observer{ResponseWriter: w}
		defer func() { // the answer may end in a panic that cuts it off
			took := time.Since(began)
			m.observe(r, o.status, took)
			log.LogAttrs(r.Context(), slog.LevelDebug, "request",
				slog.String("method", clip(r.Method)),
				slog.String("path", clip(r.URL.Path)), slog.String("query", clip(r.URL.RawQuery)),
				slog.Int("status", o.status), slog.Int64("bytes", o.bytes), slog.Duration("took", took))
		}()
		next.ServeHTTP(o, r)
		if o.status == 0 { // net/http sends it when the handler has said nothing
			o.status = http.StatusOK
		}
	})
}

// observer sees what is answered.
type observer struct {
	http.ResponseWriter
	status int // 0: nothing yet
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (o *observer) WriteHeader(status int) {
	if o.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		o.status = status
	}
	o.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (o *observer) Write(b []byte) (int, error) {
	if o.status == 0 {
		o.status = http.StatusOK
	}
	n, err := o.ResponseWriter.Write(b)
	o.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher, which transports of GraphQL look for.
func (o *observer) Flush() {
	if o.status == 0 {
		o.status = http.StatusOK
	}
	_ = http.NewResponseController(o.ResponseWriter).Flush() // a client that has left is no error of ours
}

// Unwrap is for http.ResponseController.
func (o *observer) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// clip bounds what a log line takes from a request.
func clip(s string) string {
	const maxLength = 256
	if len(s) > maxLength {
		return s[:maxLength] + "…"
	}
	return s
}
