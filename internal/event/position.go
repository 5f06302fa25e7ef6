package event

import (
	"strconv"
	"strings"
)

// Position is where in its feed a record stands: "base_plan[3]/plan[1], line 12". One of each record is
// kept while a snapshot is read, so its Path is one text for all of them.
type Position struct {
	Path  string   // with a # for each number of Index
	Index [2]int32 // from 1; 0: none
	Line  int32    // from 1; 0: not known
}

// IsZero reports whether it is none.
func (p Position) IsZero() bool { return p == Position{} }

// String is the form for people.
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

// MarshalText is String.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
