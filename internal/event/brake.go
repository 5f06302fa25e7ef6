package event

import (
	"bytes"
	"fmt"
	"time"
)

// Brake is how much a snapshot may take away before a person has to approve it: a provider with a fault often
// gives an empty feed, or half of one.
type Brake struct {
	MaxRemovedPercent     int // of the provider's upcoming events, 0 to 100
	MinRemoved            int // up to so many removals are always allowed, 0 or more
	MaxQuarantinedPercent int // of the snapshot's records, 0 to 100
}

// DefaultBrake holds a snapshot if it would remove more than 5 upcoming events that are more than 20 % of all upcoming ones, or if more
// than half of its records can't be used.
func DefaultBrake() Brake {
	return Brake{MaxRemovedPercent: 20, MinRemoved: 5, MaxQuarantinedPercent: 50}
}

// Check is the reason why a snapshot is to be held; empty if it is not. upcoming is how many upcoming events the provider
// had before the snapshot.
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

// Held is a snapshot that the brake holds until a person decides, or until the provider's next good snapshot takes its place.
type Held struct {
	RunID    int64 // the run that was held; the snapshot is approved or rejected by it
	Provider string
	Counts   Counts // what the run would have done
	Reason   string
	Snapshot Snapshot
	Body     []byte // the snapshot's bytes, compressed
	Rejected bool
	// NextCheck is that of Result. It is not stored with the snapshot, since each run has its own.
	NextCheck time.Time
}

// ReasonFor is the reason why a run is held. It names the run that holds the snapshot, if that is another one.
func (h Held) ReasonFor(run int64) string {
	if run == h.RunID {
		return h.Reason
	}
	return fmt.Sprintf("%s; it is run %d that holds this snapshot", h.Reason, h.RunID)
}

// Covers reports whether a decision about h is also one about other: both are the same snapshot, read with the same
// settings, and either h was rejected, or other takes away no more than h.
func (h Held) Covers(other Held) bool {
	same := bytes.Equal(h.Snapshot.Hash, other.Snapshot.Hash) && h.Snapshot.Decoder.Settings() == other.Snapshot.Decoder.Settings()
	return same && (h.Rejected || !other.Counts.TakesMoreThan(h.Counts))
}

// TakesMoreThan reports whether c removes more events, or refuses more records, than other.
func (c Counts) TakesMoreThan(other Counts) bool {
	return c.Removed > other.Removed || c.Quarantined > other.Quarantined
}
