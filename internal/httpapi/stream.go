package httpapi

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/klauspost/compress/gzhttp"
)

// compressed sends an answer as gzip to clients that accept it. The wrapper reads Accept-Encoding, sets Vary, and passes parts of the
// answer on as they come. It offers no zstd, which takes megabytes of memory for each request.
func compressed(next http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.EnableZstd(false), gzhttp.SuffixETag(gzipTag))
	if err != nil {
		panic(err) // the options are constants
	}
	return wrap(next)
}

// streamBuffer is how much of an answer is held before it is sent on, in bytes. As long as nothing has been sent, an error can still be
// answered with its own status.
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

// passOn sends the buffer on if it is full.
func (s *stream) passOn() error {
	if len(s.buffer) < streamBuffer {
		return nil
	}
	return s.flush()
}

// allow gives the client time to take what is written next. The server's own write timeout is meant for short answers, and may be
// over by now.
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

// streamed ends an answer; err is why it is not whole, nil if it is. A handler calls it last.
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
