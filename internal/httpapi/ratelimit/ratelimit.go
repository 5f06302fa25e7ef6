// Package ratelimit bounds how much one client may ask for, in points: a GraphQL operation has a cost in points, everything else a
// fixed one. Each client has a bucket of points that fills at a rate. A client that asks for more than is in its bucket is told when to
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

// How many clients are remembered, and for how long after their last request. A client that is forgotten starts with a full bucket.
const (
	maxClients = 100_000
	forgetting = 10 * time.Minute
)

// Budget is how much a client may spend.
type Budget struct {
	Rate  float64 // points a second; 0: no limit
	Burst int     // points at once; operations that cost more are never possible
}

// KeyHeader is the header in which a client sends its API key.
const KeyHeader = "X-Api-Key"

// KeyHash is the SHA-256 of an API key. The server does not know the keys themselves.
type KeyHash [sha256.Size]byte

// Key is a client with an API key, whatever its address.
type Key struct {
	Name   string
	Budget Budget // zero: that of clients without a key
}

// Options are how much clients may ask for, and who they are.
type Options struct {
	Budget Budget
	Keys   map[KeyHash]Key
	// Trusted are the networks of proxies whose X-Forwarded-For says who the client is. Other clients' X-Forwarded-For is ignored.
	Trusted []netip.Prefix
	Clock   func() time.Time // nil: time.Now
}

// Limiter keeps the buckets. It is safe for concurrent use. A nil Limiter lets everything pass.
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

// Client is who asks: the name of an API key, or else an address. Of an IPv6 address only the first 64 bits count, the network of one
// household or machine.
type Client struct {
	Key  string
	Addr netip.Addr
}

// String is different for each client.
func (c Client) String() string {
	if c.Key != "" {
		return "key " + c.Key
	}
	return c.Addr.String()
}

// Client is who asks; false if the request has an API key that is not known.
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

// Take takes points out of the bucket of the client that asks. It is false, and takes none, if there are not enough. In h, the header of
// the answer, it sets RateLimit and RateLimit-Policy (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/) and, if
// the client has to wait, Retry-After.
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

// seconds is how long so many points take to come, rounded up.
func (b Budget) seconds(points float64) string {
	return strconv.Itoa(int(math.Ceil(points / b.Rate)))
}

// address is the client's address: that of the connection or, if it is a trusted proxy's, the last one in X-Forwarded-For that is not.
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

// Handler takes points for each request before next answers it. If there are not enough, refuse answers, which should do so with 429.
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
