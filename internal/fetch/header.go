package fetch

import (
	"fmt"
	"net/http"
	"strings"
)

// sendable reports whether a header value may be sent (RFC 9110 5.5).
func sendable(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// isToken reports whether a header name may be sent (RFC 9110 5.6.2).
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// validator returns an ETag or a date if it can be sent back; else "".
func validator(value string) string {
	if len(value) > maxValidator || !sendable(value) {
		return ""
	}
	return value
}

// explain puts a status into words, and says what to do if that is known.
func explain(status int) string {
	text := fmt.Sprintf("status %d", status)
	if name := http.StatusText(status); name != "" {
		text += " " + name
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return text + ": check the provider's credentials"
	case http.StatusNotFound:
		return text + ": check the provider's url"
	case http.StatusGone:
		return text + ": the provider has withdrawn this feed for good"
	case http.StatusNotModified:
		return text + ", though the request had no condition"
	default:
		return text
	}
}
