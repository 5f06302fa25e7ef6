package simulator

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// patience bounds how long one answer takes, whatever a script or a fault asks for, delay and drip each.
const patience = 10 * time.Minute

// answer is what one request gets, good or bad.
type answer struct {
	status     int
	header     http.Header
	body       []byte
	delay      time.Duration // before anything is sent
	drip       int           // bytes a second; 0: as fast as it goes
	truncateAt int           // the connection breaks after so many bytes of the body; negative: never
	abandon    bool          // the connection breaks after delay, without an answer
}

// whole returns an answer with nothing wrong about it.
func whole(status int, contentType string, body []byte) answer {
	return answer{status: status, header: http.Header{"Content-Type": {contentType}}, body: body, truncateAt: -1}
}

// errCut says that the answer ended as it should: badly.
var errCut = errors.New("connection cut on purpose")

// play sends the answer. It panics with http.ErrAbortHandler, which net/http understands as "break the connection", when
// the answer is to end early, and returns when the client went away.
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
		// The length of the whole body, also when less comes: so a client can tell that it was cut.
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
	_ = http.NewResponseController(w).Flush() // what came before the cut must arrive; else there is nobody to tell
	return errCut
}

// pour writes the body, at the pace of drip.
func (a answer) pour(ctx context.Context, w http.ResponseWriter, body []byte) error {
	if a.drip <= 0 {
		_, err := w.Write(body)
		return err
	}
	// Ten portions a second, or single bytes when that would be less than one.
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

// pause waits, or returns the cause for which ctx ended.
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
