package event

import (
	"crypto/sha1" //nolint:gosec // RFC 9562 defines version 5 UUIDs with SHA-1; nothing is secured by it.
	"encoding/hex"
	"errors"
	"strconv"
)

// ID is a UUID, the public name of an event, a series or a provider.
type ID [16]byte

// The namespaces of the ids are the version 5 UUIDs of these URLs (RFC 9562, 5.5). They never change: an id is
// the same in every database and after every rebuild.
const (
	eventNamespace    = "https://github.com/aledotdev/marquee#Event"
	seriesNamespace   = "https://github.com/aledotdev/marquee#EventSeries"
	providerNamespace = "https://github.com/aledotdev/marquee#Provider"
)

// urlNamespace is the namespace id for URLs (RFC 9562, 6.6).
//
//nolint:gochecknoglobals // A constant, if arrays could be.
var urlNamespace = ID{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}

// The namespaces themselves, computed once.
//
//nolint:gochecknoglobals // Constants, if arrays could be.
var (
	eventSpace  = newV5(urlNamespace, []byte(eventNamespace))
	seriesSpace = newV5(urlNamespace, []byte(seriesNamespace))
)

// Key is the natural key of an event. All its parts are needed: in real feeds two series have events with the same id, and a
// series may have an event with the id of the series.
type Key struct {
	Provider string `json:"provider"`         // slug
	Series   string `json:"series,omitempty"` // the provider's id of the series, empty when the event has none
	Event    string `json:"event"`            // the provider's id of the event
}

// ID is the version 5 UUID of the key. The name that is hashed has the netstring of each part, one after the
// other (https://cr.yp.to/proto/netstrings.txt); it leaves out the series if there is none. So no two keys have the same name.
func (k Key) ID() ID {
	name := appendNetstring(make([]byte, 0, 96), k.Provider)
	if k.Series != "" {
		name = appendNetstring(name, k.Series)
	}
	return newV5(eventSpace, appendNetstring(name, k.Event))
}

// SeriesID is the version 5 UUID of the key's series. It means nothing if the key has no series.
func (k Key) SeriesID() ID {
	name := appendNetstring(make([]byte, 0, 64), k.Provider)
	return newV5(seriesSpace, appendNetstring(name, k.Series))
}

// ProviderID is the version 5 UUID of a provider's slug.
func ProviderID(slug string) ID {
	return newV5(newV5(urlNamespace, []byte(providerNamespace)), appendNetstring(nil, slug))
}

// String is provider/series/event, or provider/event, for people; two keys may have the same.
func (k Key) String() string {
	if k.Series == "" {
		return k.Provider + "/" + k.Event
	}
	return k.Provider + "/" + k.Series + "/" + k.Event
}

func appendNetstring(b []byte, s string) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, ':')
	b = append(b, s...)
	return append(b, ',')
}

func newV5(space ID, name []byte) ID {
	h := sha1.New() //nolint:gosec // See the import.
	h.Write(space[:])
	h.Write(name)
	var sum [sha1.Size]byte
	h.Sum(sum[:0])
	var id ID
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}

// ErrBadID is what ParseID returns for text that is not a UUID.
var ErrBadID = errors.New("not a UUID")

// ParseID reads the 36-character text form of a UUID (RFC 9562, 4), in upper or lower case. The error is ErrBadID.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ID{}, ErrBadID
	}
	hexed := s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	if _, err := hex.Decode(id[:], []byte(hexed)); err != nil {
		return ID{}, ErrBadID
	}
	return id, nil
}

// AppendTo appends String to b.
func (id ID) AppendTo(b []byte) []byte {
	b = hex.AppendEncode(b, id[:4])
	for _, part := range [][]byte{id[4:6], id[6:8], id[8:10], id[10:]} {
		b = append(b, '-')
		b = hex.AppendEncode(b, part)
	}
	return b
}

// String is the 36-character lower-case text form.
func (id ID) String() string { return string(id.AppendTo(make([]byte, 0, 36))) }

// MarshalText returns String.
func (id ID) MarshalText() ([]byte, error) { return id.AppendTo(make([]byte, 0, 36)), nil }

// UnmarshalText reads what ParseID does, with its error.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := ParseID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}
