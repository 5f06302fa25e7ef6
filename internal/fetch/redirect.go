package fetch

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
)

// follow sends the request and follows redirects. It does not leave that to
// [http.Client], which sends custom headers to other hosts, and sends the old
// URL with its query to the next host as Referer.
func (k *call) follow(ctx context.Context, cancel context.CancelCauseFunc) (*http.Response, *url.URL, error) {
	at, own := k.url, true
	for hops := 0; ; hops++ {
		resp, err := k.send(ctx, cancel, at, own)
		if err != nil {
			return nil, at, err
		}
		if !isRedirect(resp.StatusCode) {
			return resp, at, nil
		}
		resp.Body.Close()
		if hops >= k.limits.Redirects {
			return nil, at, redirectError(resp, "more than %d redirects", max(k.limits.Redirects, 0))
		}
		next, err := target(at, resp)
		if err != nil {
			return nil, at, err
		}
		if resp.StatusCode == http.StatusMovedPermanently || resp.StatusCode == http.StatusPermanentRedirect {
			k.logger.InfoContext(ctx, "the feed has moved for good: change the provider's url",
				"from", redact(at, k.hidden), "to", redact(next, k.hidden))
		}
		// Once dropped, credentials are not sent again, not even if a redirect leads
		// back: the other host could have chosen the way.
		own = own && origin(at) == origin(next)
		at = next
	}
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	default:
		return false
	}
}

// target is where a redirect leads. User and password in it are dropped: the
// server has no business choosing them.
func target(from *url.URL, resp *http.Response) (*url.URL, error) {
	location := resp.Header.Get("Location")
	if location == "" || len(location) > maxLocation {
		return nil, redirectError(resp, "redirect without a usable Location header")
	}
	to, err := from.Parse(location)
	if err != nil || checkURL(to) != nil {
		return nil, redirectError(resp, "redirect to something that is not an http or https URL")
	}
	if from.Scheme == "https" && to.Scheme == "http" {
		return nil, redirectError(resp, "redirect from https to http")
	}
	to.User, to.Fragment = nil, ""
	return to, nil
}

func redirectError(resp *http.Response, format string, args ...any) *Error {
	e := fail(CodeRedirect, format, args...)
	e.Status = resp.StatusCode
	return e
}

// origin is scheme, host and port (RFC 6454).
func origin(u *url.URL) string {
	port := "80"
	if u.Scheme == "https" {
		port = "443"
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + cmp.Or(u.Port(), port)
}
