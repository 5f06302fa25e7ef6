package httpapi

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/httpapi/ratelimit"
)

// failure is an answer that says why there is no other.
type failure struct {
	status   int
	code     string // in the words of the API's extensions.code
	argument string // the argument at fault, if one is
	message  string // for the client
}

func badInput(argument, message string) *failure {
	return &failure{http.StatusBadRequest, string(catalog.CodeBadUserInput), argument, message}
}

func internal() failure {
	return failure{status: http.StatusInternalServerError, code: "INTERNAL", message: "internal error"}
}

// Error is what the client is told.
func (f *failure) Error() string { return f.message }

// writeFailure answers with a failure, as JSON in the form of REST or, at GraphQL's path, of GraphQL.
func writeFailure(w http.ResponseWriter, r *http.Request, f failure) {
	h := w.Header()
	h.Del("Content-Encoding")
	h.Del("Content-Length")
	h.Del("ETag")
	h.Set("Content-Type", jsonType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(f.status)
	if r.Method != http.MethodHead {
		w.Write(f.body(r.URL.Path == graphQLPath)) //nolint:gosec // G705: it is JSON, and says so, with nosniff.
	}
}

func (f failure) body(graphQL bool) []byte {
	if !graphQL {
		b := appendString([]byte(`{"data":null,"error":{"code":`), f.code)
		b = appendString(append(b, `,"message":`...), f.message)
		return append(b, `}}`...)
	}
	b := appendString([]byte(`{"errors":[{"message":`), f.message)
	b = appendString(append(b, `,"extensions":{"code":`...), f.code)
	if f.argument != "" {
		b = appendString(append(b, `,"argument":`...), f.argument)
	}
	return append(b, `}}]}`...)
}

// fail answers an error. The client is told what it says if that is for the client to mend; any other error is logged, here and
// nowhere else, and answered with a fixed text.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if f, ok := errors.AsType[*failure](err); ok {
		writeFailure(w, r, *f)
		return
	}
	if e, ok := errors.AsType[*catalog.Error](err); ok {
		writeFailure(w, r, failure{http.StatusBadRequest, string(e.Code), e.Argument, e.Message})
		return
	}
	s.logFailure(r, err)
	writeFailure(w, r, internal())
}

func (s *Server) logFailure(r *http.Request, err error) {
	s.log.LogAttrs(r.Context(), slog.LevelError, "request failed",
		slog.String("path", clip(r.URL.Path)), slog.Any("error", err))
}

// tooMuch answers a client that has to wait.
func tooMuch(w http.ResponseWriter, r *http.Request) {
	writeFailure(w, r, failure{status: http.StatusTooManyRequests, code: "RATE_LIMITED", message: "too much asked in too short a time; see the headers RateLimit and Retry-After"})
}

// unauthenticated answers a client whose key is not known. Serving it as if it had shown none would only seem to work.
func unauthenticated(w http.ResponseWriter, r *http.Request) {
	writeFailure(w, r, failure{status: http.StatusUnauthorized, code: "UNAUTHENTICATED", message: "the header " + ratelimit.KeyHeader + " has no key that is known here"})
}
