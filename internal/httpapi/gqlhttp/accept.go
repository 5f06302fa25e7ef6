package gqlhttp

import (
	"strconv"
	"strings"
)

// media is a media type of answers.
type media int

const (
	mediaJSON     media = iota // application/json: every well-formed request is answered with 200
	mediaResponse              // application/graphql-response+json: the status tells more
	mediaTypes
)

// String is the media type.
func (m media) String() string {
	if m == mediaResponse {
		return "application/graphql-response+json"
	}
	return "application/json"
}

// tag tells the media types apart in an ETag.
func (m media) tag() string {
	if m == mediaResponse {
		return "-r"
	}
	return ""
}

// wanted is what a client takes.
type wanted struct {
	media      media
	acceptable bool // it takes the media type
	events     bool // it takes a stream of events, which a subscription needs
	rather     bool // it takes that rather than JSON, whatever it asks
}

// negotiate chooses the media type of the answer (GraphQL over HTTP, 6.2): the one that the client names with the higher quality;
// GraphQL's own if both are named with the same; JSON if none is named but any is accepted. If neither is acceptable, the answer that says
// so is JSON. Who takes a stream of events, but no less than these, gets one for subscriptions only: urql names all that it can read, and
// a stream can't be kept by any cache.
func negotiate(accept []string) wanted {
	if len(accept) == 0 {
		return wanted{media: mediaJSON, acceptable: true}
	}
	var named, ranged [mediaTypes]float64 // by quality
	var events float64
	for _, header := range accept {
		for header != "" {
			var item string
			item, header, _ = strings.Cut(header, ",")
			kind, quality := weigh(item)
			switch kind {
			case "application/json":
				named[mediaJSON] = max(named[mediaJSON], quality)
			case "application/graphql-response+json":
				named[mediaResponse] = max(named[mediaResponse], quality)
			case "*/*", "application/*":
				ranged[mediaJSON] = max(ranged[mediaJSON], quality)
			case "text/event-stream":
				events = max(events, quality)
			}
		}
	}
	w := wanted{media: mediaJSON, acceptable: true, events: events > 0}
	w.rather = events > max(named[mediaJSON], named[mediaResponse], ranged[mediaJSON])
	switch {
	case named[mediaResponse] > 0 && named[mediaResponse] >= named[mediaJSON]:
		w.media = mediaResponse
	case named[mediaJSON] > 0 || ranged[mediaJSON] > 0:
	default:
		w.acceptable = strings.TrimSpace(strings.Join(accept, "")) == ""
	}
	return w
}

// weigh reads one element of an Accept header: its name in lower case, and its quality from 0 to 1. A malformed one is empty, with
// quality 0.
func weigh(item string) (kind string, quality float64) {
	kind, parameters, _ := strings.Cut(item, ";")
	quality = 1
	for parameters != "" {
		var parameter string
		parameter, parameters, _ = strings.Cut(parameters, ";")
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		switch strings.ToLower(name) {
		case "q":
			parsed, err := strconv.ParseFloat(value, 64)
			if err != nil || parsed < 0 || parsed > 1 {
				return "", 0
			}
			quality = parsed
		case "charset":
			if !isUTF8(value) {
				return "", 0
			}
		}
	}
	return strings.ToLower(strings.TrimSpace(kind)), quality
}

func isUTF8(charset string) bool {
	charset = strings.Trim(charset, `"`)
	return strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}

// acceptsGzip says whether the client takes gzip, by name or by "*".
func acceptsGzip(accept []string) bool {
	all := false
	for _, header := range accept {
		for header != "" {
			var item string
			item, header, _ = strings.Cut(header, ",")
			switch kind, quality := weigh(item); kind {
			case "gzip":
				return quality > 0
			case "*":
				all = quality > 0
			}
		}
	}
	return all
}
