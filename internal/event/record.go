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
	Known   bool // it was not read: Hash says which record it is, and of Key and Event only the series is set
	Number  int  // of a Known one: what Skip.Known said

	Hash    RecordHash // of the record as it stands in the feed; zero where the format can't tell
	Key     Key        // as far as the record tells, also of an invalid one
	Place   Position
	Excerpt string // how an invalid record begins

	digested bool
	id       ID
	content  Hash
}

// Digest is the id and the content hash of a valid record's event. They are reckoned once: a decoder that has other
// processors at hand does so ahead.
func (r *Record) Digest() (ID, Hash) {
	if !r.digested {
		r.id, r.content, r.digested = r.Event.Key.ID(), r.Event.Hash(), true
	}
	return r.id, r.content
}

// RecordHash is a digest of one record's bytes and of all else that has a say in what event they make: what
// encloses the record, the decoder and its settings. It tells a reader that it need not read the record.
type RecordHash [16]byte

// Skip says which records of a snapshot need not be read.
type Skip struct {
	// Salt names the decoder and its settings: it goes into every RecordHash.
	Salt string
	// Known, if set, is asked about each record, maybe ahead of the records that are given and from another
	// goroutine. If it says yes, with a number of its own, the record is not read and comes as a Record that is
	// Known. It may say so only of a hash that came with a valid Record.
	Known func(RecordHash) (number int, yes bool)
}

// MaxExcerptBytes bounds a Record's excerpt.
const MaxExcerptBytes = 2_000
