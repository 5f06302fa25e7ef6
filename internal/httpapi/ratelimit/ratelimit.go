// Package ratelimit bounds how much one client may ask for in a time, in points: those that GraphQL operations cost, and fixed
// ones for all else. Each client has a bucket that fills at a rate; whoever asks for more than is in it is told when to
// come back.
package ratelimit

import (
	"math"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"
)

// Bounds of what is kept of clients. One that is forgotten begins with a full bucket.
const (
	maxClients = 100_000
	forgetting = 10 * time.Minute
)

// Options are how much a client may ask for, and who it is.
type Options struct {
	Rate  float64 // points a second; 0: no limit
	Burst int     // points at once, at least the cost of the most expensive operation that is to be possible
	// Trusted are proxies. Who it was that asked one of them is read from X-Forwarded-For; anybody else's is ignored.
	Trusted []netip.Prefix
	Clock   func() time.Time // nil: time.Now
}

// Limiter keeps the buckets. A nil one lets everything pass.
type Limiter struct {
	Options
	buckets *otter.Cache[netip.Addr, *rate.Limiter]
	policy  string
}

// New makes a Limiter; nil if there is no limit.
func New(o Options) *Limiter {
	if o.Rate <= 0 {
		return nil
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Limiter{
		Options: o,
		buckets: otter.Must(&otter.Options[netip.Addr, *rate.Limiter]{
			MaximumSize: maxClients, ExpiryCalculator: otter.ExpiryAccessing[netip.Addr, *rate.Limiter](forgetting),
		}),
		policy: `"points";q=` + strconv.Itoa(o.Burst) + `;w=` + strconv.Itoa(int(math.Ceil(float64(o.Burst)/o.Rate))),
	}
}

// Take takes points out of the bucket of the client that asks; false: there were not enough, and none was taken. It
// sets the headers of https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ and, for who has to wait, Retry-After.
func (l *Limiter) Take(h http.Header, r *http.Request, points int) bool {
	if l == nil {
		return true
	}
	now := l.Clock()
	bucket, _ := l.buckets.ComputeIfAbsent(l.Client(r), func() (*rate.Limiter, bool) {
		return rate.NewLimiter(rate.Limit(l.Rate), l.Burst), false
	})
	ok := bucket.AllowN(now, points)
	left := max(0, bucket.TokensAt(now))
	h["Ratelimit-Policy"] = []string{l.policy}
	h["Ratelimit"] = []string{`"points";r=` + strconv.Itoa(int(left)) + `;t=` + l.seconds(float64(l.Burst)-left)}
	if !ok {
		h.Set("Retry-After", l.seconds(max(1, float64(points)-left)))
	}
	return ok
}

// seconds says how long it takes until so many points are there.
func (l *Limiter) seconds(points float64) string {
	return strconv.Itoa(int(math.Ceil(points / l.Rate)))
}

// Client is who asks: an address, or for IPv6 the network of 64 bits that one household or machine has. It is the one that
// the last trusted proxy was asked by.
func (l *Limiter) Client(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	client := at.Addr().Unmap()
	if err != nil || !l.trusts(client) {
		return network(client)
	}
	forwarded := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for _, one := range slices.Backward(forwarded) {
		before, err := netip.ParseAddr(strings.TrimSpace(one))
		if err != nil {
			break
		}
		if client = before.Unmap(); !l.trusts(client) {
			break
		}
	}
	return network(client)
}

func (l *Limiter) trusts(proxy netip.Addr) bool {
	for _, p := range l.Trusted {
		if p.Contains(proxy) {
			return true
		}
	}
	return false
}

func network(a netip.Addr) netip.Addr {
	const household = 64
	if p, err := a.Prefix(household); a.Is6() && err == nil {
		return p.Masked().Addr()
	}
	return a
}

// Handler takes points for each request, and has refuse answer, with status 429, where there are not enough.
func (l *Limiter) Handler(points int, refuse, next http.Handler) http.Handler {
	if l == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !l.Take(w.Header(), r, points) {
			refuse.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
