package event

import (
	"errors"
	"time"
)

// ErrMalformed is wrapped by every error that says a snapshot as a whole can't be read: truncated, not
// in its format, unsafe. Nothing of such a snapshot is applied.
var ErrMalformed = errors.New("malformed feed")

// Defaults is what a provider's settings add to its feed's records.
type Defaults struct {
	Provider string         // slug
	Zone     *time.Location // completes wall-clock times without a zone
	Currency string         // ISO 4217, of prices without one
	Prices   PriceRule
}

// Record is one record of a snapshot: an event or, when Invalid is set, why it is none.
type Record struct {
	Event   Event
	Invalid *Invalid

	Key     Key    // as far as the record tells, also of an invalid one
	Place   string // where in the feed, for people: "base_plan[3]/plan[1], line 12"
	Excerpt string // how an invalid record begins
}

// MaxExcerptBytes bounds a Record's excerpt.
const MaxExcerptBytes = 2_000
