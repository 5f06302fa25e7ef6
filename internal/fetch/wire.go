package fetch

import (
	"context"
	"io"
	"time"
)

// capped counts and bounds the bytes that are received, and remembers the error
// that they ended with, because a decoder on top may report a broken connection
// as bad data.
type capped struct {
	r     io.Reader
	limit int64
	n     int64
	err   error
}

func (c *capped) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	if c.n > c.limit {
		n, err = 0, fail(CodeTooLarge, "the body has more than %d bytes", c.limit)
	}
	c.err = err
	return n, err
}

// watched ends a body that comes too slowly. The idle timer ends a Read that is
// blocked, so every Read returns; the rate is checked when one returns.
type watched struct {
	r      io.Reader
	cancel context.CancelCauseFunc
	idle   *time.Timer
	limits Limits

	// Of the current stretch of RateTime. Only the time inside Read counts.
	elapsed time.Duration
	bytes   int64
}

func watch(r io.Reader, limits Limits, cancel context.CancelCauseFunc) *watched {
	idle := time.AfterFunc(limits.IdleTime, func() {
		cancel(fail(CodeTimeout, "the body stood still for %s", limits.IdleTime))
	})
	idle.Stop()
	return &watched{r: r, cancel: cancel, idle: idle, limits: limits}
}

func (w *watched) Read(p []byte) (int, error) {
	start := time.Now()
	w.idle.Reset(w.limits.IdleTime)
	n, err := w.r.Read(p)
	w.idle.Stop()
	w.elapsed += time.Since(start)
	w.bytes += int64(n)
	if err != nil || w.elapsed < w.limits.RateTime {
		return n, err
	}
	if rate := float64(w.bytes) / w.elapsed.Seconds(); rate < float64(w.limits.MinRate) {
		slow := fail(CodeTimeout, "the body came at %.0f bytes a second, the minimum is %d", rate, w.limits.MinRate)
		w.cancel(slow)
		return n, slow
	}
	w.elapsed, w.bytes = 0, 0
	return n, nil
}
