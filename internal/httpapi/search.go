package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"github.com/aledotdev/marquee/internal/catalog"
)

// compressed gives an answer as gzip to those who take it. The wrapper knows how to read
// Accept-Encoding, sets Vary, and passes on what it has as it comes. zstd would want megabytes a request.
func compressed(next http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.EnableZstd(false))
	if err != nil {
		panic(err) // the options are constants
	}
	return wrap(next)
}

// search answers GET /search. HEAD looks at the arguments and asks nobody.
func (s *Server) search(w http.ResponseWriter, r *http.Request) {
	window, err := parseWindow(r.URL.RawQuery)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", jsonType)
		return
	}

	out := newStream(w, s.timeouts)
	ctx, cancel := context.WithTimeout(r.Context(), s.timeouts.Search)
	defer cancel()
	if err = s.catalog.Search(ctx, window, out.listing); err == nil {
		err = out.end()
	}
	switch {
	case err == nil:
		return
	case out.failed || r.Context().Err() != nil:
		s.log.LogAttrs(ctx, slog.LevelDebug, "client left", slog.String("request_id", RequestID(ctx)), slog.Any("error", err))
	case !out.started:
		out.allow()
		s.fail(w, r, err)
		return
	default:
		s.logFailure(r, err)
	}
	panic(http.ErrAbortHandler) // cuts the connection: nobody must take half an answer for a whole one
}

// streamBuffer is how much of an answer is held before it is sent on, in bytes. An answer that fits, or
// that fails before, is decided on as a whole.
const streamBuffer = 32 << 10

// stream writes the answer of a search part by part.
type stream struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
	buffer   []byte
	events   bool // one has been written
	started  bool // the client has been sent something
	failed   bool // the client takes no more
}

func newStream(w http.ResponseWriter, t Timeouts) *stream {
	return &stream{
		w: w, control: http.NewResponseController(w), patience: t.Write,
		buffer: append(make([]byte, 0, streamBuffer+streamBuffer/4), `{"data":{"events":[`...),
	}
}

func (s *stream) listing(l catalog.Listing) error {
	if s.events {
		s.buffer = append(s.buffer, ',')
	}
	s.events = true
	s.buffer = appendListing(s.buffer, &l)
	if len(s.buffer) < streamBuffer {
		return nil
	}
	return s.flush()
}

func (s *stream) end() error {
	s.buffer = append(s.buffer, `]},"error":null}`...)
	return s.flush()
}

// allow gives the client its time to take what is written next. The server's own timeout is for short
// answers, and may have passed by now.
func (s *stream) allow() {
	_ = s.control.SetWriteDeadline(time.Now().Add(s.patience)) // a ResponseWriter without deadlines is a test's
}

func (s *stream) flush() error {
	if !s.started {
		s.w.Header().Set("Content-Type", jsonType)
		s.started = true
	}
	s.allow()
	_, err := s.w.Write(s.buffer)
	s.buffer = s.buffer[:0]
	s.failed = err != nil
	return err
}
