package event

import (
	"strconv"
	"strings"
)

// Position is the place of a record in its feed, such as "base_plan[3]/plan[1], line 12". While a snapshot is read, that of each
// record is kept: to save memory, Path may be one text for all of them, without the numbers.
type Position struct {
	Path  string   // with a # in place of each number of Index
	Index [2]int32 // from 1; 0 if there is none
	Line  int32    // from 1; 0 if not known
}

// IsZero reports whether p is the zero value, which stands for none.
func (p Position) IsZero() bool { return p == Position{} }

// String is the position for people.
func (p Position) String() string {
	b := make([]byte, 0, 64)
	rest := p.Path
	for _, n := range p.Index {
		before, after, found := strings.Cut(rest, "#")
		if n == 0 || !found {
			break
		}
		b = strconv.AppendInt(append(b, before...), int64(n), 10)
		rest = after
	}
	b = append(b, rest...)
	if p.Line > 0 {
		b = strconv.AppendInt(append(b, ", line "...), int64(p.Line), 10)
	}
	return string(b)
}

// MarshalText returns String.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
