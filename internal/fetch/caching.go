package fetch

import (
	"errors"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// nextCheck is how long the provider asks to be left alone after a good answer:
// the answer's remaining freshness (RFC 9111: max-age, or else Expires, minus
// Age) or Retry-After, whichever is longer; between 0 and limit. Directives for
// shared caches (s-maxage) don't apply to us.
func nextCheck(h http.Header, now time.Time, limit time.Duration) time.Duration {
	return max(freshness(h, now, limit), retryAfter(h, now, limit))
}

func freshness(h http.Header, now time.Time, limit time.Duration) time.Duration {
	var maxAge time.Duration
	found := false
	for name, value := range directives(h.Values("Cache-Control")) {
		switch name {
		case "no-store", "no-cache":
			if value == "" { // no-cache="Set-Cookie" is about that header alone
				return 0
			}
		case "max-age":
			if d, ok := seconds(value, limit); ok && !found {
				maxAge, found = d, true
			}
		}
	}
	if !found {
		expires, err := http.ParseTime(h.Get("Expires"))
		if err != nil {
			return 0
		}
		maxAge = expires.Sub(serverTime(h, now))
	}
	age, _ := seconds(h.Get("Age"), limit)
	return min(max(maxAge-age, 0), limit)
}

// retryAfter reads Retry-After (RFC 9110 10.2.3): seconds or a date; between 0
// and limit.
func retryAfter(h http.Header, now time.Time, limit time.Duration) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if d, ok := seconds(value, limit); ok {
		return d
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(serverTime(h, now)), 0), limit)
}

// serverTime is the time by the provider's own clock, if the answer has a Date;
// else now. Other dates in the header go by the same clock, which may be wrong
// by hours.
func serverTime(h http.Header, now time.Time) time.Time {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		return date
	}
	return now
}

// seconds reads delta-seconds (RFC 9111 1.2.2): digits only. A longer time than
// limit is cut to limit.
func seconds(value string, limit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseUint(value, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && n > uint64(limit/time.Second):
		return limit, true
	case err != nil:
		return 0, false
	default:
		return time.Duration(n) * time.Second, true
	}
}

// directives yields the names, in lower case, and the values, without quotes,
// of a list header. A comma inside quotes is part of the value.
func directives(lines []string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		quoted := false
		split := func(r rune) bool {
			if r == '"' {
				quoted = !quoted
			}
			return r == ',' && !quoted
		}
		for _, line := range lines {
			quoted = false
			for part := range strings.FieldsFuncSeq(line, split) {
				name, value, _ := strings.Cut(part, "=")
				name = strings.ToLower(strings.TrimSpace(name))
				if !yield(name, strings.Trim(strings.TrimSpace(value), `"`)) {
					return
				}
			}
		}
	}
}
