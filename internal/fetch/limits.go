package fetch

import (
	"cmp"
	"time"
)

// Limits bound one [Client.Get]. A field that is 0 has its default, see
// [DefaultLimits]. A negative Redirects means that no redirect is followed.
type Limits struct {
	// WireBytes is the largest body in bytes, as sent, which may be packed.
	WireBytes int64
	// Bytes is the largest body in bytes, unpacked.
	Bytes int64
	// Ratio is how many times its packed size a body may have, unpacked. It is
	// checked only once a mebibyte is unpacked: short texts may pack to almost
	// nothing.
	Ratio float64
	// MemoryBytes is the largest body, in bytes, that is kept in memory. Larger
	// ones go to a file.
	MemoryBytes int64

	// Time bounds the whole Get, retries and the waits between them included.
	Time time.Duration
	// ConnectTime bounds one connection attempt, and one TLS handshake.
	ConnectTime time.Duration
	// HeaderTime bounds the wait for the answer's header, connecting included.
	HeaderTime time.Duration
	// IdleTime is the longest that a body may pause between two bytes.
	IdleTime time.Duration
	// MinRate is the lowest rate in bytes a second, on average over each
	// RateTime. The time that we need to unpack and to write is not counted.
	MinRate  int64
	RateTime time.Duration

	// Redirects is how many redirects one attempt follows.
	Redirects int
	// Attempts is the largest number of attempts, the first included.
	Attempts int
	// Backoff is the ceiling of the first wait. It doubles with each further
	// wait, up to MaxWait. The wait itself is random between 0 and the ceiling
	// ("full jitter"), so that many feeds are not retried at the same moment.
	Backoff time.Duration
	// MaxWait is the longest wait inside one Get. If a provider asks for a longer
	// one (Retry-After), Get gives up, and [Error.RetryAfter] says how long.
	MaxWait time.Duration
	// NextCheck is the longest time for which a provider may ask to be left
	// alone, by Cache-Control, Expires or Retry-After: a misconfigured cache must
	// not stop a feed for a year.
	NextCheck time.Duration
}

// DefaultLimits returns limits within which every honest feed that we know of
// stays, with an order of magnitude to spare: the largest is some 50 MB
// unpacked.
func DefaultLimits() Limits {
	return Limits{
		WireBytes:   512 << 20,
		Bytes:       1 << 30, // a small node's disk can still hold that twice
		Ratio:       200,     // repetitive XML reaches 20 to 60, a gzip bomb 1,000
		MemoryBytes: 1 << 20, // most feeds are smaller, so most runs need no disk

		Time:        10 * time.Minute, // less than the usual schedule, a quarter of an hour
		ConnectTime: 10 * time.Second,
		HeaderTime:  time.Minute, // many providers build the whole feed before they answer
		IdleTime:    30 * time.Second,
		MinRate:     1 << 10, // a modem of 1990 did better
		RateTime:    time.Minute,

		Redirects: 5,
		Attempts:  4, // with Backoff, 7 s of waiting at most: enough for a restart, not for an outage
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
