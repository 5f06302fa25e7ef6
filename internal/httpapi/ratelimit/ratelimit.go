// Package ratelimit bounds how much one client may ask for in a time, in points: those that GraphQL operations cost, and fixed
// ones for all else. Each client has a bucket that fills at a rate; whoever asks for more than is in it is told when to
// come back.
package ratelimit

import (
	"crypto/sha256"
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

// Budget is how much a client may ask for.
type Budget struct {
	Rate  float64 // points a second; 0: no limit
	Burst int     // points at once, at least the cost of the most expensive operation that is to be possible
}

// KeyHeader is where a client shows its API key.
const KeyHeader = "X-Api-Key"

// KeyHash is the SHA-256 of an API key: keys themselves are known to their clients alone.
type KeyHash [sha256.Size]byte

// Key is a client that is known by an API key, wherever it asks from.
type Key struct {
	Name   string
	Budget Budget // the zero one: as everybody's
}

// Options are how much clients may ask for, and who they are.
type Options struct {
	Budget Budget
	Keys   map[KeyHash]Key
	// Trusted are proxies. Who it was that asked one of them is read from X-Forwarded-For; anybody else's is ignored.
	Trusted []netip.Prefix
	Clock   func() time.Time // nil: time.Now
}

// Limiter keeps the buckets. A nil one lets everything pass.
type Limiter struct {
	Options
	buckets *otter.Cache[Client, *bucket]
}

// bucket is what a client has left.
type bucket struct {
	*rate.Limiter
	policy []string
}

// New makes a Limiter.
func New(o Options) *Limiter {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Limiter{Options: o, buckets: otter.Must(&otter.Options[Client, *bucket]{
		MaximumSize: maxClients, ExpiryCalculator: otter.ExpiryAccessing[Client, *bucket](forgetting),
	})}
}

// Client is who asks: the name of an API key, or else an address, for IPv6 the network of 64 bits that one household or machine has.
type Client struct {
	Key  string
	Addr netip.Addr
}

// String names it apart from all others.
func (c Client) String() string {
	if c.Key != "" {
		return "key " + c.Key
	}
	return c.Addr.String()
}

// Client is who asks; false: the key that it shows is none that is known.
func (l *Limiter) Client(r *http.Request) (Client, bool) {
	c, _, ok := l.client(r)
	return c, ok
}

func (l *Limiter) client(r *http.Request) (Client, Budget, bool) {
	shown := r.Header[KeyHeader]
	if len(shown) == 0 || l.Keys == nil {
		return Client{Addr: l.address(r)}, l.Budget, true
	}
	key, ok := l.Keys[sha256.Sum256([]byte(shown[0]))]
	if !ok {
		return Client{Addr: l.address(r)}, l.Budget, false
	}
	if key.Budget == (Budget{}) {
		key.Budget = l.Budget
	}
	return Client{Key: key.Name}, key.Budget, true
}

// Take takes points out of the bucket of the client that asks; false: there were not enough, and none was taken. It
// sets the headers of https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ and, for who has to wait, Retry-After.
func (l *Limiter) Take(h http.Header, r *http.Request, points int) bool {
	if l == nil {
		return true
	}
	client, budget, _ := l.client(r)
	if budget.Rate <= 0 {
		return true
	}
	now := l.Clock()
	bucket, _ := l.buckets.ComputeIfAbsent(client, func() (*bucket, bool) {
		policy := `"points";q=` + strconv.Itoa(budget.Burst) + `;w=` + budget.seconds(float64(budget.Burst))
		return &bucket{rate.NewLimiter(rate.Limit(budget.Rate), budget.Burst), []string{policy}}, false
	})
	ok := bucket.AllowN(now, points)
	left := max(0, bucket.TokensAt(now))
	h["Ratelimit-Policy"] = bucket.policy
	h["Ratelimit"] = []string{`"points";r=` + strconv.Itoa(int(left)) + `;t=` + budget.seconds(float64(budget.Burst)-left)}
	if !ok {
		h.Set("Retry-After", budget.seconds(max(1, float64(points)-left)))
	}
	return ok
}

// seconds says how long it takes until so many points are there.
func (b Budget) seconds(points float64) string {
	return strconv.Itoa(int(math.Ceil(points / b.Rate)))
}

// address is where the request comes from: the address that the last trusted proxy was asked by.
func (l *Limiter) address(r *http.Request) netip.Addr {
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
