package httpapi

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/klauspost/compress/gzhttp"
)

// compressed gives an answer as gzip to those who take it. The wrapper knows how to read
// Accept-Encoding, sets Vary, and passes on what it has as it comes. zstd would want megabytes a request.
func compressed(next http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.EnableZstd(false), gzhttp.SuffixETag(gzipTag))
	if err != nil {
		panic(err) // the options are constants
	}
	return wrap(next)
}

// streamBuffer is how much of an answer is held before it is sent on, in bytes. An answer that fits, or
// that fails before, is decided on as a whole.
const streamBuffer = 32 << 10

// stream writes an answer part by part.
type stream struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
	buffer   []byte
	started  bool // the client has been sent something
	failed   bool // the client takes no more
}

func newStream(w http.ResponseWriter, t Timeouts) *stream {
	return &stream{
		w: w, control: http.NewResponseController(w), patience: t.Write,
		buffer: make([]byte, 0, streamBuffer+streamBuffer/4),
	}
}

// passOn sends what has been written, when there is enough of it.
func (s *stream) passOn() error {
	if len(s.buffer) < streamBuffer {
		return nil
	}
	return s.flush()
}

// allow gives the client its time to take what is written next. The server's own timeout is for short
// answers, and may have passed by now.
func (s *stream) allow() {
	_ = s.control.SetWriteDeadline(time.Now().Add(s.patience)) // a ResponseWriter without deadlines is a test's
}

func (s *stream) flush() error {
	s.started = true
	s.allow()
	_, err := s.w.Write(s.buffer)
	s.buffer = s.buffer[:0]
	s.failed = err != nil
	return err
}

// streamed ends an answer, which err may have cut short. It is the last that a handler does.
func (s *Server) streamed(r *http.Request, out *stream, err error) {
	ctx := r.Context()
	switch {
	case err == nil:
		return
	case out.failed || ctx.Err() != nil:
		s.log.LogAttrs(ctx, slog.LevelDebug, "client left", slog.Any("error", err))
	case !out.started:
		out.allow()
		s.fail(out.w, r, err)
		return
	default:
		s.logFailure(r, err)
	}
	panic(http.ErrAbortHandler) // cuts the connection: nobody must take half an answer for a whole one
}
