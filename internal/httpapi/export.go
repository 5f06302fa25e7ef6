package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/export"
)

// exportPath begins the paths of the exports.
const exportPath = "/events."

// stale is how old an export may be: "now" is the beginning of the current minute, and the answer may be kept until the next
// one begins.
const stale = time.Minute

// busyFor is the Retry-After, in seconds, of a client that came while too many exports were at work.
const busyFor = "5"

// errAnswered ends an export before its first event.
var errAnswered = errors.New("the client has its answer")

// export answers GET /events.ics and its like.
func (s *Server) export(format export.Format) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := s.clock()
		asked, err := parseQuestion(r.URL.RawQuery)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		query, err := asked.query(now.Truncate(stale))
		if err != nil {
			s.fail(w, r, inParameters(err))
			return
		}
		select {
		case s.exports <- struct{}{}:
			defer func() { <-s.exports }()
		default: // each holds a connection to the database for as long as its client reads
			w.Header().Set("Retry-After", busyFor)
			writeFailure(w, r, failure{status: http.StatusServiceUnavailable, code: "UNAVAILABLE", message: "too many exports at a time, try again"})
			return
		}

		timed := format.Timed || len(query.Where.Availability) > 0
		begin := func(version int64) error {
			etag := s.exportTag(format, r, query, version, timed)
			h := w.Header()
			h.Set("Content-Type", format.ContentType)
			h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(now.Truncate(stale).Add(stale).Sub(now).Seconds())))
			h.Set("ETag", etag)
			switch known := matches(r.Header.Get("If-None-Match"), etag); {
			case known != "":
				h.Set("ETag", known)
				w.WriteHeader(http.StatusNotModified)
				return errAnswered
			case r.Method == http.MethodHead:
				return errAnswered
			}
			return nil
		}
		out, document := newStream(w, s.timeouts), format.New()
		out.buffer = document.Begin(out.buffer)
		ctx, cancel := context.WithTimeout(r.Context(), s.timeouts.Search)
		defer cancel()
		err = s.catalog.Export(ctx, query, begin, func(e catalog.Exported) (err error) {
			if out.buffer, err = document.Event(out.buffer, e); err != nil {
				return err
			}
			return out.passOn()
		})
		if err == nil {
			out.buffer = document.End(out.buffer)
			err = out.flush()
		}
		if !errors.Is(err, errAnswered) {
			s.streamed(r, out, inParameters(err))
		}
	})
}

// exportTag is the ETag of an export. It depends on everything that the bytes depend on: the program's version, the catalog's, the
// question, and the time, by way of what a preset means and, if timed, of what is on sale.
func (s *Server) exportTag(format export.Format, r *http.Request, q catalog.EventQuery, version int64, timed bool) string {
	hash := sha256.New()
	fmt.Fprintf(hash, "%v\n%s\n%d\n%s\n", s.program, format.Name, version, r.URL.RawQuery)
	for _, b := range []*catalog.Bound{q.Window.From, q.Window.To} {
		if b != nil {
			fmt.Fprintf(hash, "%s\n", b)
		}
	}
	if timed {
		fmt.Fprintf(hash, "%d\n", q.Now.Unix())
	}
	return `"` + base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:12]) + `"`
}

// gzipTag ends the tag of an answer as gzip, since its bytes are different.
const gzipTag = "-gzip"

// matches returns the tag in If-None-Match that is etag, or etag with gzipTag; empty if there is none.
func matches(ifNoneMatch, etag string) string {
	zipped := strings.TrimSuffix(etag, `"`) + gzipTag + `"`
	for one := range strings.SplitSeq(ifNoneMatch, ",") {
		switch one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one {
		case etag, zipped:
			return one
		case "*":
			return etag
		}
	}
	return ""
}
