package simulator

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// patience bounds the delay of an answer and the time of a drip, 10 minutes each, whatever a script or a fault says.
const patience = 10 * time.Minute

// answer is the answer to one request, good or bad.
type answer struct {
	status     int
	header     http.Header
	body       []byte
	delay      time.Duration // before anything is sent
	drip       int           // bytes a second; 0: as fast as possible
	truncateAt int           // the connection is closed after so many bytes of the body; negative: it is not
	abandon    bool          // the connection is closed after delay, without an answer
}

// whole returns a good answer.
func whole(status int, contentType string, body []byte) answer {
	return answer{status: status, header: http.Header{"Content-Type": {contentType}}, body: body, truncateAt: -1}
}

// errCut says that the answer was cut off on purpose.
var errCut = errors.New("connection cut on purpose")

// play sends the answer. If the answer is to be cut off, it panics with http.ErrAbortHandler, which makes net/http close the
// connection. It returns if the client has gone.
func (a answer) play(w http.ResponseWriter, r *http.Request) {
	err := a.send(r.Context(), w)
	if errors.Is(err, errCut) {
		panic(http.ErrAbortHandler)
	}
}

func (a answer) send(ctx context.Context, w http.ResponseWriter) error {
	if err := pause(ctx, min(a.delay, patience)); err != nil {
		return err
	}
	if a.abandon {
		return errCut
	}
	maps.Copy(w.Header(), a.header)
	body, cut := a.body, a.truncateAt >= 0 && a.truncateAt < len(a.body)
	if bodyAllowed(a.status) {
		// The length is that of the whole body even if only a part is sent, so that a client notices.
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	if cut {
		body = body[:a.truncateAt]
	}
	w.WriteHeader(a.status)
	if err := a.pour(ctx, w, body); err != nil {
		return err
	}
	if !cut {
		return nil
	}
	_ = http.NewResponseController(w).Flush() // send what comes before the cut; an error means that the client has gone
	return errCut
}

// pour writes the body, with drip bytes a second.
func (a answer) pour(ctx context.Context, w http.ResponseWriter, body []byte) error {
	if a.drip <= 0 {
		_, err := w.Write(body)
		return err
	}
	// Ten portions a second; if these would be smaller than one byte, drip single bytes a second.
	portion, wait := max(1, a.drip/10), time.Second/10
	if a.drip < 10 {
		wait = time.Second / time.Duration(a.drip)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errCut)
	defer cancel()
	for len(body) > 0 {
		n := min(portion, len(body))
		if _, err := w.Write(body[:n]); err != nil {
			return err
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return err
		}
		if body = body[n:]; len(body) > 0 {
			if err := pause(ctx, wait); err != nil {
				return err
			}
		}
	}
	return nil
}

// pause waits for d. If ctx ends before, it returns its cause.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
