package fetch

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

const (
	mask          = "xxxxx" // as net/url has it
	invalidURL    = "(invalid URL)"
	maxURLShown   = 200 // characters
	maxCauseShown = 300

	// Shorter texts are not masked in messages. minSecret, in bytes, is for texts
	// that are known to be secret: one of three letters protects nothing.
	// minGuess is for query values and headers, which may or may not be secret:
	// they often have everyday words ("json", "events") that occur in paths as
	// well. The query of a URL is never shown, however short it is.
	minSecret = 4
	minGuess  = 8
)

// Redact returns what may be shown of a URL: scheme, host and path, at most 200
// characters. User, password, query, fragment and path parameters
// (";session=…") are left out. A text that is not an http or https URL is not
// shown at all, because nobody can tell which part of it is secret.
func Redact(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return invalidURL
	}
	return redact(u, nil)
}

func redact(u *url.URL, hidden secrets) string {
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return invalidURL
	}
	path := u.EscapedPath()
	if masked := hidden.mask(u.Path); masked != u.Path { // secrets are known unescaped
		path = (&url.URL{Path: masked}).EscapedPath()
	}
	path, _, _ = strings.Cut(path, ";")
	return clean(u.Scheme+"://"+u.Host+path, hidden, maxURLShown)
}

// secrets are the texts that must not be shown, longest first, so that a secret
// that contains another is masked as a whole.
type secrets []string

func (s secrets) mask(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, mask)
	}
	return text
}

// secretsOf collects the secrets of a request and of URLs with credentials.
func secretsOf(req Request, urls ...*url.URL) secrets {
	var s secrets
	add := func(least int, values ...string) {
		for _, v := range values {
			if len(v) >= least {
				s = append(s, v, url.QueryEscape(v), url.PathEscape(v))
			}
		}
	}
	add(minSecret, req.Secrets...)
	for _, u := range urls {
		if password, ok := u.User.Password(); ok {
			name := u.User.Username()
			add(minSecret, password, base64.StdEncoding.EncodeToString([]byte(name+":"+password)))
		}
		add(minSecret, u.User.Username())
		add(minGuess, u.RawQuery, u.Fragment)
		for _, values := range u.Query() {
			add(minGuess, values...)
		}
	}
	for name, values := range req.Header {
		if harmless(name) {
			continue
		}
		add(minGuess, values...)
		for _, v := range values { // "Bearer TOKEN", "a=b; c=d"
			add(minGuess, strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(" ;,=", r) })...)
		}
	}
	slices.SortFunc(s, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(s)
}

// clean makes a text fit for a log: it masks secrets, replaces control
// characters (the text may quote a server's answer), and cuts the text to limit
// characters.
func clean(text string, hidden secrets, limit int) string {
	text = hidden.mask(text)
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}

// scrubbed replaces the text of an error. errors.Is and errors.As still find
// what they would find in the error itself.
type scrubbed struct {
	text string
	err  error
}

func scrub(err error, hidden secrets) error {
	return scrubbed{text: clean(err.Error(), hidden, maxCauseShown), err: err}
}

func (s scrubbed) Error() string        { return s.text }
func (s scrubbed) Is(target error) bool { return errors.Is(s.err, target) }
func (s scrubbed) As(target any) bool   { return errors.As(s.err, target) }

// harmless reports whether a header is not secret, and is still sent after a
// redirect to another host. It lists the harmless headers, because a secret one
// can have any name.
func harmless(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Accept", "Accept-Language", "User-Agent":
		return true
	default:
		return false
	}
}
