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
	maxValidator = 1 << 10 // bytes of an ETag that we keep and send back
	maxLocation  = 8 << 10
	// progressEvery is often enough for a terminal, and no burden.
	progressEvery = 100 * time.Millisecond
)

// call is one Get: its request taken apart, its transport, its attempts.
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
	if err != nil { // its text holds parts of the URL
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
		return fail(CodeRequest, "%s: is a browser's word, write https://", u.Scheme)
	case u.Scheme != "http" && u.Scheme != "https", u.Opaque != "":
		return fail(CodeRequest, "the URL must begin with http:// or https://")
	case u.Hostname() == "":
		return fail(CodeRequest, "the URL names no host")
	default:
		return nil
	}
}

// try makes one attempt, redirects included. at is where it ended.
func (k *call) try(ctx context.Context) (_ *Snapshot, at *url.URL, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// Closes those that become idle later too: the next attempt shall not meet
	// a connection that stood still.
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

// refused is the error of a status that is no answer. The body is not read: it
// is the provider's to write and could say anything.
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
		return nil, fail(CodeTooLarge, "%d bytes on the wire announced, the most is %d", resp.ContentLength, k.limits.WireBytes)
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

// send makes one hop. own tells that it goes to where the request was meant to
// go, so that its credentials may go along.
func (k *call) send(ctx context.Context, cancel context.CancelCauseFunc, to *url.URL, own bool) (*http.Response, error) {
	if k.proxy != nil { // nobody else will look at it
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

// tell completes an error: where it happened, when, and no secret in it.
func (k *call) tell(err error, at *url.URL) *Error {
	e := classify(context.Background(), err, false)
	e.URL = redact(at, k.hidden)
	e.Attempts = k.attempt
	e.Err = scrub(e.Err, k.hidden)
	return e
}
