package event

import (
	"bytes"
	"fmt"
	"time"
)

// Brake is how much a snapshot may take away before a person has to look: a provider's bad day often
// looks like an empty shop.
type Brake struct {
	MaxRemovedPercent     int // of the provider's upcoming events, 0 to 100
	MinRemoved            int // up to so many removals are always fine
	MaxQuarantinedPercent int // of the snapshot's records, 0 to 100
}

// DefaultBrake holds a snapshot that would remove more than 5 and more than 20 % of the upcoming events,
// or of which more than half can't be used.
func DefaultBrake() Brake {
	return Brake{MaxRemovedPercent: 20, MinRemoved: 5, MaxQuarantinedPercent: 50}
}

// Check says why a snapshot is to be held, or nothing. upcoming is how many upcoming events the provider
// had before it.
func (b Brake) Check(c Counts, upcoming int) string {
	switch {
	case c.Removed > b.MinRemoved && c.Removed*100 > upcoming*b.MaxRemovedPercent:
		return fmt.Sprintf("it would remove %d of %d upcoming events, more than %d and more than %d %%", c.Removed, upcoming, b.MinRemoved, b.MaxRemovedPercent)
	case c.Quarantined*100 > c.Records*b.MaxQuarantinedPercent:
		return fmt.Sprintf("%d of its %d records can't be used, more than %d %%", c.Quarantined, c.Records, b.MaxQuarantinedPercent)
	default:
		return ""
	}
}

// Held is a snapshot that the brake holds until a person decides, or the provider's next good snapshot
// makes it moot.
type Held struct {
	RunID    int64 // the run that was held, and the name by which to approve it
	Provider string
	Counts   Counts // what the run would have done
	Reason   string
	Snapshot Snapshot
	Body     []byte // the snapshot itself, packed
	Rejected bool
	// NextCheck is as in Result. It is not kept: each run has its own.
	NextCheck time.Time
}

// ReasonFor is the reason why a run is held, which may be that another one holds the same snapshot.
func (h Held) ReasonFor(run int64) string {
	if run == h.RunID {
		return h.Reason
	}
	return fmt.Sprintf("%s; it is run %d that holds this snapshot", h.Reason, h.RunID)
}

// Covers reports whether what is decided about h is decided about other too: it is the same snapshot, under the same
// settings, and takes away no more than h, unless even that was rejected.
func (h Held) Covers(other Held) bool {
	same := bytes.Equal(h.Snapshot.Hash, other.Snapshot.Hash) && h.Snapshot.Decoder.Settings() == other.Snapshot.Decoder.Settings()
	return same && (h.Rejected || !other.Counts.TakesMoreThan(h.Counts))
}

// TakesMoreThan reports whether c removes more events, or refuses more records, than other.
func (c Counts) TakesMoreThan(other Counts) bool {
	return c.Removed > other.Removed || c.Quarantined > other.Quarantined
}
