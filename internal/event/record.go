package event

import (
	"errors"
	"time"
)

// ErrMalformed is wrapped by every error that says that a snapshot as a whole can't be read: it is truncated, not
// in its format, or beyond a limit. Nothing of such a snapshot is applied.
var ErrMalformed = errors.New("malformed feed")

// Defaults is what a provider's settings add to the records of its feed.
type Defaults struct {
	Provider string         // slug
	Zone     *time.Location // of times without one
	Currency string         // ISO 4217; of prices without one
	Prices   PriceRule
}

// Record is one record of a snapshot: an event or, if Invalid is set, the reason why there is none.
type Record struct {
	Event   Event
	Invalid *Invalid
	Known   bool // it was not read: Hash says which record it is; Key has only provider and series, Event only the series' title
	Number  int  // what Skip.Known returned, if Known

	Hash    RecordHash // zero if the format has none
	Key     Key        // also of an invalid record, as far as it could be read
	Place   Position
	Excerpt string // the beginning of an invalid record

	digested bool
	id       ID
	content  Hash
}

// Digest is the id and the content hash of a valid record's event. They are computed at the first call: a decoder that uses several
// processors makes that call itself.
func (r *Record) Digest() (ID, Hash) {
	if !r.digested {
		r.id, r.content, r.digested = r.Event.Key.ID(), r.Event.Hash(), true
	}
	return r.id, r.content
}

// RecordHash is a digest of one record's bytes and of everything else that its event depends on: the elements around
// the record, the decoder and its settings. A record whose hash is known need not be read.
type RecordHash [16]byte

// Skip says which records of a snapshot need not be read.
type Skip struct {
	// Salt names the decoder and its settings: it goes into every RecordHash.
	Salt string
	// Known, if set, is called for each record, possibly before the records ahead of it are given, and from another
	// goroutine. If it returns yes, the record is not read, and comes as a Record that is Known and has the number returned. It may return
	// yes only for a hash that came with a valid Record before.
	Known func(RecordHash) (number int, yes bool)
}

// MaxExcerptBytes bounds Record.Excerpt.
const MaxExcerptBytes = 2_000
