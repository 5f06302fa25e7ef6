package catalog

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/terms"
)

// position is a place in an order: a part of it, and in that the key and the id. No event need be there.
type position struct {
	part     byte
	key      key
	id       event.ID
	rankedAt time.Time // of relevance only, see ranking
}

// key is what a part is ordered by before the id. One field is used, by the order's kind.
type key struct {
	at     time.Time
	micros int64 // of an amount, times 10^6
	text   string
}

// keyKind is the type of an order's keys.
type keyKind byte

const (
	instantKey keyKind = iota // a timestamptz
	amountKey                 // a numeric
	textKey                   // a text that orders by its bytes
)

// compare returns -1, 0 or +1, in the order of the database, for two places of one part that ascends.
func (p position) compare(other position) int {
	return cmp.Or(p.key.at.Compare(other.key.at), cmp.Compare(p.key.micros, other.key.micros), bytes.Compare(p.id[:], other.id[:]))
}

// Cursors are opaque to clients. The first byte names the order, so that a cursor of another one is refused, not
// misread; then come the part, where the order has several, the key and the id. A forged cursor is a place like
// any other: there is nothing to gain by it.

// maxCursorBytes bounds what is decoded.
const maxCursorBytes = 512

func (o order) cursor(p position) string {
	return string(o.appendCursor(make([]byte, 0, 64), p)) // most fit, so that the string alone is made
}

func (o order) appendCursor(to []byte, p position) []byte {
	b := append(make([]byte, 0, 64), o.tag)
	if o.ranked != nil {
		b = binary.BigEndian.AppendUint64(b, uint64(p.rankedAt.UnixMicro()))
	}
	if len(o.parts) > 1 {
		b = append(b, p.part)
	}
	switch o.kind {
	case instantKey:
		b = binary.BigEndian.AppendUint64(b, uint64(p.key.at.UnixMicro()))
	case amountKey:
		b = binary.BigEndian.AppendUint64(b, uint64(p.key.micros))
	case textKey:
		b = append(b, p.key.text...)
	}
	return base64.RawURLEncoding.AppendEncode(to, append(b, p.id[:]...))
}

func (o order) parseCursor(argument, cursor string) (position, error) {
	refused := badInput(argument, "%s: not a cursor of this list in this order", argument)
	b, ok := decode(cursor)
	if !ok || len(b) < 1+len(event.ID{}) || b[0] != o.tag {
		return position{}, refused
	}
	b, id := b[1:len(b)-len(event.ID{})], b[len(b)-len(event.ID{}):]
	p := position{id: event.ID(id)}
	if o.ranked != nil {
		if p.rankedAt, b, ok = cutInstant(b); !ok {
			return position{}, refused
		}
	}
	if len(o.parts) > 1 {
		if len(b) == 0 || int(b[0]) >= len(o.parts) {
			return position{}, refused
		}
		p.part, b = b[0], b[1:]
	}
	switch o.kind {
	case instantKey:
		p.key.at, b, ok = cutInstant(b)
		ok = ok && len(b) == 0
	case amountKey:
		if ok = len(b) == 8; ok {
			p.key.micros = int64(binary.BigEndian.Uint64(b))
			_, err := event.DecimalFromMicros(p.key.micros)
			ok = err == nil && (p.part == 0 || p.key.micros == 0)
		}
	case textKey:
		p.key.text = string(b)
		ok = len(b) <= terms.MaxKeyBytes && utf8.Valid(b) && bytes.IndexByte(b, 0) < 0
	}
	if !ok {
		return position{}, refused
	}
	return p, nil
}

// cutInstant reads an instant in the years that PostgreSQL knows.
func cutInstant(b []byte) (time.Time, []byte, bool) {
	if len(b) < 8 {
		return time.Time{}, nil, false
	}
	at := time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC()
	return at, b[8:], at.Year() >= -4000 && at.Year() <= maxYear
}

// arg is the key as an argument of a statement.
func (o order) arg(k key) any {
	switch o.kind {
	case amountKey:
		d, _ := event.DecimalFromMicros(k.micros) // checked when it was read
		return d.String()
	case textKey:
		return k.text
	default:
		return k.at
	}
}

// placeholder takes the argument in its column's type.
func (k keyKind) placeholder() string {
	if k == amountKey {
		return "?::text::numeric"
	}
	return "?"
}

// decode is strict: a place has one cursor, so that one request has one key in a cache. The package skips line
// breaks even so.
func decode(cursor string) ([]byte, bool) {
	if len(cursor) > maxCursorBytes {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	return b, err == nil && !strings.ContainsAny(cursor, "\r\n")
}

// numberCursor is a cursor of runs or of changes: the tag, then the number of the run or the change.
func numberCursor(tag byte, number int64) string {
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64([]byte{tag}, uint64(number)))
}

// parseNumberCursor reads the argument after of a list of runs or of changes.
func parseNumberCursor(tag byte, cursor string) (int64, error) {
	b, ok := decode(cursor)
	if !ok || len(b) != 9 || b[0] != tag || b[1] > 0x7f {
		return 0, badInput("after", "after: not a cursor of this list")
	}
	return int64(binary.BigEndian.Uint64(b[1:])), nil
}

func runCursor(id int64) string { return numberCursor(tagRun, id) }

func changeCursor(number int64) string { return numberCursor(tagChange, number) }

// parseChangeCursor reads the argument after; nil is the place before all changes.
func parseChangeCursor(cursor *string) (int64, error) {
	if cursor == nil {
		return 0, nil
	}
	return parseNumberCursor(tagChange, *cursor)
}
