package fetch

import (
	"cmp"
	"time"
)

// Limits bound one [Client.Get]. A field that is zero means its default, see
// [DefaultLimits]; a negative Redirects means none.
type Limits struct {
	// WireBytes is the most bytes of one body as sent, still packed.
	WireBytes int64
	// Bytes is the most bytes of one body, unpacked.
	Bytes int64
	// Ratio is the most unpacked bytes per byte on the wire. It is judged only
	// once a mebibyte is unpacked: short texts pack to almost nothing.
	Ratio float64
	// MemoryBytes is the largest body kept in memory; larger ones go to a file.
	MemoryBytes int64

	// Time bounds the whole Get, retries and the waits between them included.
	Time time.Duration
	// ConnectTime bounds one connection attempt, and one TLS handshake.
	ConnectTime time.Duration
	// HeaderTime bounds the wait for the answer's header, connecting included.
	HeaderTime time.Duration
	// IdleTime is the longest that a body may pause between two bytes.
	IdleTime time.Duration
	// MinRate is the least bytes a second, averaged over each RateTime. Time
	// that we take ourselves, to unpack and to write, is not counted.
	MinRate  int64
	RateTime time.Duration

	// Redirects is the most hops after the first request.
	Redirects int
	// Attempts is the most tries, the first included.
	Attempts int
	// Backoff is the ceiling of the first wait; it doubles with each further
	// one up to MaxWait. The wait itself is random between nothing and the
	// ceiling ("full jitter"), so that many providers don't retry in step.
	Backoff time.Duration
	// MaxWait is the longest wait inside one Get. A provider that asks for more
	// (Retry-After) is left to the schedule: see [Error.RetryAfter].
	MaxWait time.Duration
	// NextCheck caps what a provider may ask for with Cache-Control, Expires or
	// Retry-After: a feed behind a misconfigured cache must not stop for a year.
	NextCheck time.Duration
}

// DefaultLimits returns limits that pass every honest feed we know of, the
// largest being some 50 MB unpacked, with an order of magnitude to spare.
func DefaultLimits() Limits {
	return Limits{
		WireBytes:   512 << 20,
		Bytes:       1 << 30, // what a small node's disk can still hold twice
		Ratio:       200,     // XML full of repetition packs 20 to 60 times, a gzip bomb 1,000
		MemoryBytes: 1 << 20, // most feeds, so most runs touch no disk

		Time:        10 * time.Minute, // less than the usual schedule, a quarter of an hour
		ConnectTime: 10 * time.Second,
		HeaderTime:  time.Minute, // many providers build the whole feed before they answer
		IdleTime:    30 * time.Second,
		MinRate:     1 << 10, // a modem of 1990 did better
		RateTime:    time.Minute,

		Redirects: 5,
		Attempts:  4, // with Backoff about 7 s of waiting at most: rides out a restart, not an outage
		Backoff:   time.Second,
		MaxWait:   30 * time.Second, // a run holds its provider's lease while it waits
		NextCheck: 24 * time.Hour,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	return Limits{
		WireBytes:   cmp.Or(l.WireBytes, d.WireBytes),
		Bytes:       cmp.Or(l.Bytes, d.Bytes),
		Ratio:       cmp.Or(l.Ratio, d.Ratio),
		MemoryBytes: cmp.Or(l.MemoryBytes, d.MemoryBytes),
		Time:        cmp.Or(l.Time, d.Time),
		ConnectTime: cmp.Or(l.ConnectTime, d.ConnectTime),
		HeaderTime:  cmp.Or(l.HeaderTime, d.HeaderTime),
		IdleTime:    cmp.Or(l.IdleTime, d.IdleTime),
		MinRate:     cmp.Or(l.MinRate, d.MinRate),
		RateTime:    cmp.Or(l.RateTime, d.RateTime),
		Redirects:   cmp.Or(l.Redirects, d.Redirects),
		Attempts:    max(1, cmp.Or(l.Attempts, d.Attempts)),
		Backoff:     cmp.Or(l.Backoff, d.Backoff),
		MaxWait:     cmp.Or(l.MaxWait, d.MaxWait),
		NextCheck:   cmp.Or(l.NextCheck, d.NextCheck),
	}
}
