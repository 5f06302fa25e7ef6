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

// maxAnswerHeader bounds, in bytes, the header of each answer, redirects too.
const maxAnswerHeader = 256 << 10

// Request says what to get. All verbs of package fmt, and slog, print only its
// redacted URL, because credentials may be in any part of it.
type Request struct {
	URL string // http or https; may have user and password
	// Header is sent with the request, and with redirects within the same
	// scheme, host and port. After a redirect to anywhere else, only Accept,
	// Accept-Language and User-Agent are sent. Accept-Encoding, Range and
	// conditional headers in it are ignored: the client sets them itself.
	Header http.Header
	// Secrets are further texts that must never be shown, such as the values
	// that a provider file took from ${ENV}, which may be in the URL's path or
	// host. A text of less than 4 bytes is not hidden.
	Secrets []string

	// ETag and LastModified of the last good answer. If both are empty, the
	// request is unconditional.
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

// Progress is how far a Get has come. A new attempt starts again from 0.
type Progress struct {
	Attempt int   // from 1
	Wire    int64 // bytes received, as sent
	Size    int64 // bytes unpacked
	Total   int64 // bytes of the whole body, as sent; -1: unknown
}

// Options configure a [Client]. The zero value is a client with all defaults.
type Options struct {
	Limits    Limits
	Logger    *slog.Logger // default: discard
	UserAgent string       // default: "marquee" and where to read about it
	// SpoolDir is where large bodies go; default [os.TempDir]. If that is in
	// memory (tmpfs), name a directory on a disk.
	SpoolDir string

	Resolver *net.Resolver // default: the system's
	TLS      *tls.Config   // roots and client certificates; at least TLS 1.2 in any case
	// Proxy, if set, carries all requests. Then the proxy resolves names and
	// connects, so the address policy applies only to IP addresses written in
	// URLs, and the proxy must have rules of its own. For this reason proxies
	// from the environment are ignored.
	Proxy *url.URL

	Now  func() time.Time // for dates in headers; default [time.Now]
	Rand func() float64   // for jitter, in [0, 1); default math/rand/v2
}

// Client gets feeds. It is safe for concurrent use. It keeps no connections
// between calls: feeds are fetched minutes apart, and over a pooled connection a
// request could reach an address that its own policy refuses. So a client holds
// no resources; make one for each set of limits.
type Client struct {
	limits    Limits
	logger    *slog.Logger
	userAgent string
	spoolDir  string
	resolver  *net.Resolver
	tls       *tls.Config
	proxy     *url.URL
	// withCredentials are further URLs whose credentials could appear in errors.
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

// Get fetches a whole feed. After a temporary error it tries again, within its
// limits, after random waits that grow. progress, if not nil, is called from
// Get's goroutine: when a body begins, then at most ten times a second, and when
// it ends.
//
// All its errors are [*Error]. It logs retries and feeds that have moved; the
// caller has to log the error. The caller has to close the snapshot.
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
		return nil, pace.last // says more than that the time ran out
	}
}

// newTransport returns a transport for one Get.
func (c *Client) newTransport(allowPrivate bool) *http.Transport {
	dialer := &net.Dialer{Timeout: c.limits.ConnectTime, Resolver: c.resolver}
	t := &http.Transport{
		TLSClientConfig:        c.tls.Clone(),
		TLSHandshakeTimeout:    c.limits.ConnectTime,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // we unpack, within limits
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

// pace is the [backoff.BackOff] of one Get. Each wait is random, up to a ceiling
// that doubles ("full jitter"), but no shorter than the provider asks for. It
// stops when the last error is not temporary, or when the wait would be longer
// than [Limits.MaxWait] or than the time left.
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
		return backoff.Stop // a full disk stays full for more than a few seconds
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
