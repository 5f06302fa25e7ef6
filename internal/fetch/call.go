package fetch

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"
)

const (
	maxValidator = 1 << 10 // bytes; a longer ETag or Last-Modified is not kept
	maxLocation  = 8 << 10 // bytes; a redirect to a longer URL is not followed
	// progressEvery is the least time between two reports of progress.
	progressEvery = 100 * time.Millisecond
)

// call is one Get: its parsed request, its transport, its attempts.
type call struct {
	*Client
	req       Request
	url       *url.URL // without user and fragment
	user      *url.Userinfo
	hidden    secrets
	transport *http.Transport
	progress  func(Progress)
	attempt   int
}

func (c *Client) newCall(req Request, progress func(Progress)) (*call, error) {
	u, err := url.Parse(req.URL)
	if err != nil { // not wrapped: its text has parts of the URL
		return nil, &Error{Code: CodeRequest, URL: invalidURL, Err: errors.New("the URL cannot be read")}
	}
	k := &call{Client: c, req: req, progress: progress}
	k.hidden = secretsOf(req, slices.Concat(c.withCredentials, []*url.URL{u})...)
	if err := checkURL(u); err != nil {
		return nil, k.tell(err, u)
	}
	for name, values := range req.Header {
		for _, value := range values {
			if !sendable(value) || !isToken(name) {
				return nil, k.tell(fail(CodeRequest, "a request header has characters that cannot be sent"), u)
			}
		}
	}
	k.user, u.User, u.Fragment = u.User, nil, ""
	k.url = u
	k.transport = c.newTransport(req.AllowPrivate)
	return k, nil
}

func checkURL(u *url.URL) error {
	switch {
	case u.Scheme == "webcal" || u.Scheme == "webcals":
		return fail(CodeRequest, "%s: is not a protocol that a feed can be fetched by; write https:", u.Scheme)
	case u.Scheme != "http" && u.Scheme != "https", u.Opaque != "":
		return fail(CodeRequest, "the URL must begin with http:// or https://")
	case u.Hostname() == "":
		return fail(CodeRequest, "the URL names no host")
	default:
		return nil
	}
}

// try makes one attempt and follows its redirects. at is the last URL that it
// asked.
func (k *call) try(ctx context.Context) (_ *Snapshot, at *url.URL, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// This also closes connections that become idle later. The next attempt must
	// not get a connection that has stalled.
	defer k.transport.CloseIdleConnections()
	resp, at, err := k.follow(ctx, cancel)
	if err != nil {
		return nil, at, err
	}
	defer resp.Body.Close()

	snap := &Snapshot{}
	switch resp.StatusCode {
	case http.StatusOK:
		if snap, err = k.body(ctx, cancel, resp); err != nil {
			e := classify(ctx, err, true)
			e.Status = resp.StatusCode
			return nil, at, e
		}
		snap.ETag = validator(resp.Header.Get("ETag"))
		snap.LastModified = validator(resp.Header.Get("Last-Modified"))
		snap.ContentType = clean(resp.Header.Get("Content-Type"), k.hidden, 100)
	case http.StatusNotModified:
		if k.req.ETag == "" && k.req.LastModified == "" {
			return nil, at, k.refused(resp)
		}
		snap.NotModified = true
		// A 304 need not repeat them.
		snap.ETag = cmp.Or(validator(resp.Header.Get("ETag")), k.req.ETag)
		snap.LastModified = cmp.Or(validator(resp.Header.Get("Last-Modified")), k.req.LastModified)
	default:
		return nil, at, k.refused(resp)
	}
	snap.Status = resp.StatusCode
	snap.NextCheck = nextCheck(resp.Header, k.now(), k.limits.NextCheck)
	snap.Attempts = k.attempt
	return snap, at, nil
}

// refused is the error of a status other than 200 or an expected 304. The body
// is not quoted in it, because a provider can put anything there.
func (k *call) refused(resp *http.Response) *Error {
	e := fail(CodeStatus, "%s", explain(resp.StatusCode))
	e.Status = resp.StatusCode
	e.RetryAfter = retryAfter(resp.Header, k.now(), k.limits.NextCheck)
	return e
}

// body reads the body of a 200.
func (k *call) body(_ context.Context, cancel context.CancelCauseFunc, resp *http.Response) (*Snapshot, error) {
	encoding, err := encodingOf(resp.Header)
	if err != nil {
		return nil, err
	}
	if resp.ContentLength > k.limits.WireBytes {
		return nil, fail(CodeTooLarge, "the server announces %d bytes, the limit is %d", resp.ContentLength, k.limits.WireBytes)
	}
	in := &capped{r: watch(resp.Body, k.limits, cancel), limit: k.limits.WireBytes}
	contentType := resp.Header.Get("Content-Type")
	if k.progress == nil {
		return receive(in, encoding, contentType, k.limits, k.spoolDir, nil)
	}
	now := Progress{Attempt: k.attempt, Total: resp.ContentLength}
	k.progress(now)
	told := time.Now()
	snap, err := receive(in, encoding, contentType, k.limits, k.spoolDir, func(unpacked int64) {
		now.Wire, now.Size = in.n, unpacked
		if time.Since(told) >= progressEvery {
			told = time.Now()
			k.progress(now)
		}
	})
	k.progress(now)
	return snap, err
}

// send makes one request, to the feed's URL or to where a redirect leads. own
// says that credentials may be sent, because no redirect has left the origin
// that they are meant for.
func (k *call) send(ctx context.Context, cancel context.CancelCauseFunc, to *url.URL, own bool) (*http.Response, error) {
	if k.proxy != nil { // the proxy connects, so guard never sees the address
		if addr, err := netip.ParseAddr(to.Hostname()); err == nil {
			if err := judge(addr, k.req.AllowPrivate); err != nil {
				return nil, err
			}
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), http.NoBody)
	if err != nil {
		return nil, fail(CodeRequest, "the URL cannot be sent")
	}
	req.Header = k.header(own)
	timer := time.AfterFunc(k.limits.HeaderTime, func() {
		cancel(fail(CodeTimeout, "no answer within %s", k.limits.HeaderTime))
	})
	defer timer.Stop()
	resp, err := k.transport.RoundTrip(req)
	if err != nil {
		return nil, classify(ctx, err, false)
	}
	return resp, nil
}

func (k *call) header(own bool) http.Header {
	h := http.Header{}
	h.Set("User-Agent", k.userAgent)
	for name, values := range k.req.Header {
		if own || harmless(name) {
			h[http.CanonicalHeaderKey(name)] = values
		}
	}
	if user := k.user; own && user != nil && h.Get("Authorization") == "" {
		password, _ := user.Password()
		(&http.Request{Header: h}).SetBasicAuth(user.Username(), password)
	}
	for _, name := range []string{"Range", "If-None-Match", "If-Modified-Since", "If-Range", "If-Match", "If-Unmodified-Since"} {
		h.Del(name)
	}
	h.Set("Accept-Encoding", acceptEncoding)
	if etag := validator(k.req.ETag); etag != "" {
		h.Set("If-None-Match", etag)
	}
	if date := validator(k.req.LastModified); date != "" {
		h.Set("If-Modified-Since", date)
	}
	return h
}

// tell completes an error with the URL and the attempt, and removes secrets
// from its text.
func (k *call) tell(err error, at *url.URL) *Error {
	e := classify(context.Background(), err, false)
	e.URL = redact(at, k.hidden)
	e.Attempts = k.attempt
	e.Err = scrub(e.Err, k.hidden)
	return e
}
