package catalog

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// position is a place in the order (start, id).
type position struct {
	startsAt time.Time
	id       event.ID
}

// compare returns -1, 0 or +1, in the order of the database.
func (p position) compare(other position) int {
	return cmp.Or(p.startsAt.Compare(other.startsAt), bytes.Compare(p.id[:], other.id[:]))
}

// Cursors are opaque to clients. The first byte names order and layout, so that a cursor of another one
// is refused, not misread. A forged cursor is a place like any other: there is nothing to gain by it.
const (
	cursorByStart  = 1
	cursorLength   = 1 + 8 + 16
	maxCursorYears = 9999
)

func (p position) cursor() string {
	b := make([]byte, 0, cursorLength)
	b = append(b, cursorByStart)
	b = binary.BigEndian.AppendUint64(b, uint64(p.startsAt.UnixMicro()))
	b = append(b, p.id[:]...)
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCursor(argument, cursor string) (position, error) {
	b, ok := decode(cursor)
	if !ok || len(b) != cursorLength || b[0] != cursorByStart {
		return position{}, badInput(argument, "%s: not a cursor of this list", argument)
	}
	p := position{startsAt: time.UnixMicro(int64(binary.BigEndian.Uint64(b[1:]))).UTC(), id: event.ID(b[9:])}
	if year := p.startsAt.Year(); year < -4000 || year > maxCursorYears {
		return position{}, badInput(argument, "%s: not a cursor of this list", argument)
	}
	return p, nil
}

// decode is strict: a place has one cursor, so that one request has one key in a cache. The package skips line
// breaks even so.
func decode(cursor string) ([]byte, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	return b, err == nil && !strings.ContainsAny(cursor, "\r\n")
}

// Cursors of runs: the first byte as above, then the number.
const cursorByRun = 2

func runCursor(id int64) string {
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64([]byte{cursorByRun}, uint64(id)))
}

func parseRunCursor(argument, cursor string) (int64, error) {
	b, ok := decode(cursor)
	if !ok || len(b) != 9 || b[0] != cursorByRun {
		return 0, badInput(argument, "%s: not a cursor of this list", argument)
	}
	return int64(binary.BigEndian.Uint64(b[1:])), nil
}
