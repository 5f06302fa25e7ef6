package fetch

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// maxAnswerHeader bounds the answer's header, all hops alike.
const maxAnswerHeader = 256 << 10

// Request says what to get. It prints, in every verb and in slog, as its
// redacted URL: credentials may be in any part of it.
type Request struct {
	URL string
	// Header is sent with the request, and with redirects within the same
	// scheme, host and port. To other places go only Accept, Accept-Language and
	// User-Agent. Accept-Encoding, Range and the conditional headers are ours.
	Header http.Header
	// Secrets are further texts never to be shown, such as the values that a
	// provider file took from ${ENV}: they may stand in the URL's path or host.
	Secrets []string

	// ETag and LastModified of the last good answer; empty: unconditional.
	ETag, LastModified string

	// AllowPrivate permits loopback and private addresses (the provider's
	// allowPrivateAddresses). Metadata services and link-local stay refused.
	AllowPrivate bool
}

// Format implements [fmt.Formatter].
func (r Request) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue implements [slog.LogValuer].
func (r Request) LogValue() slog.Value { return slog.StringValue(r.String()) }

// String returns the redacted URL.
func (r Request) String() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return invalidURL
	}
	return redact(u, secretsOf(r, u))
}

// Progress is how far a Get has come. A new attempt starts again from nothing.
type Progress struct {
	Attempt int
	Wire    int64 // bytes received
	Size    int64 // bytes unpacked
	Total   int64 // bytes on the wire to come in all; -1: unknown
}

// Options configure a [Client]. The zero value is a client with all defaults.
type Options struct {
	Limits    Limits
	Logger    *slog.Logger // default: discard
	UserAgent string
	// SpoolDir is where large bodies go; default [os.TempDir]. Where that lies in
	// memory (tmpfs), name a directory on a disk.
	SpoolDir string

	Resolver *net.Resolver // default: the system's
	TLS      *tls.Config   // roots and client certificates; at least TLS 1.2 in any case
	// Proxy, if set, carries all requests. It then is the proxy that resolves
	// names and connects, so the address policy can judge only addresses that
	// stand in URLs: the proxy has to have rules of its own. Proxies from the
	// environment are ignored for this reason.
	Proxy *url.URL

	Now  func() time.Time // for dates in headers; default [time.Now]
	Rand func() float64   // for jitter, in [0, 1); default math/rand/v2
}

// Client gets feeds. It is safe for concurrent use and keeps no connections
// between calls: feeds are minutes apart, and a pooled connection could carry a
// request past the address policy that it was dialled under. So a client costs
// nothing; make one for each set of limits.
type Client struct {
	limits    Limits
	logger    *slog.Logger
	userAgent string
	spoolDir  string
	resolver  *net.Resolver
	tls       *tls.Config
	proxy     *url.URL
	// withCredentials are URLs of our own whose secrets could turn up in errors.
	withCredentials []*url.URL

	now  func() time.Time
	rand func() float64
	dial func(ctx context.Context, network, address string) (net.Conn, error) // tests only
}

// New returns a client.
func New(o Options) *Client {
	c := &Client{
		limits:    o.Limits.withDefaults(),
		logger:    cmp.Or(o.Logger, slog.New(slog.DiscardHandler)),
		userAgent: cmp.Or(o.UserAgent, "marquee (+https://github.com/aledotdev/marquee)"),
		spoolDir:  o.SpoolDir,
		resolver:  o.Resolver,
		tls:       &tls.Config{MinVersion: tls.VersionTLS12},
		proxy:     o.Proxy,
		now:       time.Now,
		rand:      rand.Float64,
	}
	if o.TLS != nil {
		c.tls = o.TLS.Clone()
		c.tls.MinVersion = max(c.tls.MinVersion, tls.VersionTLS12)
	}
	if o.Proxy != nil {
		c.withCredentials = []*url.URL{o.Proxy}
	}
	if o.Now != nil {
		c.now = o.Now
	}
	if o.Rand != nil {
		c.rand = o.Rand
	}
	return c
}

// Get fetches a feed whole. It tries again, after a random wait that grows, on
// what is temporary, within its limits. progress, if not nil, is called from
// Get's goroutine, at most some times a second and at the end.
//
// All its errors are [*Error]. It logs retries and moved feeds, nothing else:
// the error is the caller's to log.
func (c *Client) Get(ctx context.Context, req Request, progress func(Progress)) (*Snapshot, error) {
	call, err := c.newCall(req, progress)
	if err != nil {
		return nil, err
	}

	outer := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, c.limits.Time,
		fail(CodeTimeout, "not done within %s", c.limits.Time))
	defer cancel()

	pace := &pace{limits: c.limits, rand: c.rand}
	pace.deadline, _ = ctx.Deadline()
	snap, failed := backoff.Retry(ctx, func() (*Snapshot, error) {
		call.attempt++
		snap, at, err := call.try(ctx)
		if err == nil {
			return snap, nil
		}
		pace.last = call.tell(err, at)
		return nil, pace.last
	},
		backoff.WithBackOff(pace),
		backoff.WithMaxTries(uint(c.limits.Attempts)),
		backoff.WithMaxElapsedTime(0), // the context has the deadline
		backoff.WithNotify(func(err error, wait time.Duration) {
			c.logger.WarnContext(ctx, "fetch failed, trying again", "error", err, "wait", wait)
		}))
	switch {
	case failed == nil:
		return snap, nil
	case outer.Err() != nil && pace.last.Code != CodeCanceled:
		return nil, call.tell(fail(CodeCanceled, "stopped: %w", context.Cause(outer)), call.url)
	default:
		return nil, pace.last // says more than that the time is up
	}
}

// newTransport returns a transport for one Get.
func (c *Client) newTransport(allowPrivate bool) *http.Transport {
	dialer := &net.Dialer{Timeout: c.limits.ConnectTime, Resolver: c.resolver}
	t := &http.Transport{
		TLSClientConfig:        c.tls.Clone(),
		TLSHandshakeTimeout:    c.limits.ConnectTime,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // unpacked by us, with bounds
		MaxResponseHeaderBytes: maxAnswerHeader,
	}
	if c.proxy != nil {
		t.Proxy = http.ProxyURL(c.proxy)
	} else {
		dialer.ControlContext = guard(allowPrivate)
	}
	t.DialContext = dialer.DialContext
	if c.dial != nil {
		t.DialContext = c.dial
	}
	return t
}

// pace is the [backoff.BackOff] of one Get: full jitter under a ceiling that
// doubles, no less than the provider asks for, and an end to it when the last
// error is not temporary or the wait would not fit.
type pace struct {
	limits   Limits
	rand     func() float64
	deadline time.Time
	waits    int
	last     *Error
}

func (p *pace) Reset() { p.waits = 0 }

func (p *pace) NextBackOff() time.Duration {
	if !p.last.Temporary() || p.last.Code == CodeSpool {
		return backoff.Stop // a full disk does not empty itself in seconds
	}
	ceiling := p.limits.MaxWait
	if shift := min(p.waits, 30); p.limits.Backoff <= ceiling>>shift {
		ceiling = p.limits.Backoff << shift
	}
	p.waits++
	wait := max(time.Duration(p.rand()*float64(ceiling)), p.last.RetryAfter)
	if wait > p.limits.MaxWait || wait > time.Until(p.deadline) {
		return backoff.Stop
	}
	return wait
}
