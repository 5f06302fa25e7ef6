package event

import (
	"errors"
	"strings"
	"time"
)

// Provider is what the catalog knows of a source of listings.
type Provider struct {
	Slug     string
	Name     string
	Format   string
	TimeZone string // IANA name
	Currency string // ISO 4217
}

// ID is the UUIDv5 of the provider's slug.
func (p Provider) ID() ID { return ProviderID(p.Slug) }

// Outcome is how a SyncRun ended.
type Outcome string

// The outcomes of a run.
const (
	OutcomeRunning    Outcome = "RUNNING"
	OutcomeApplied    Outcome = "APPLIED"    // the catalog changed
	OutcomeUnchanged  Outcome = "UNCHANGED"  // the snapshot was good and held nothing new
	OutcomeFailed     Outcome = "FAILED"     // no snapshot, or not a good one; the catalog is as it was
	OutcomeHeld       Outcome = "HELD"       // by the brake, for a person to approve
	OutcomeRejected   Outcome = "REJECTED"   // held, and a person said no; or the same snapshot again
	OutcomeSuperseded Outcome = "SUPERSEDED" // another run took over, or made a held one moot
)

// Run is a SyncRun under way.
type Run struct {
	ID        int64 // rises in the order in which runs start, in all processes
	Provider  Provider
	StartedAt time.Time
	Token     int64     // of the provider's lease; rises with each holder, so that an older one is known
	Previous  *Snapshot // the latest good one, nil if there is none
}

// LastRun is a provider's latest run that ended by itself: not one whose process died, was told to stop, or was superseded.
type LastRun struct {
	ID        int64
	StartedAt time.Time
	NextCheck time.Time // no sooner does the provider want to be asked again; zero: it doesn't say
}

// MaxClockSkew is how far the clocks of two machines that sync may differ.
const MaxClockSkew = 5 * time.Minute

// Ahead reports whether the run began at a time that is still to come: now's clock has gone back since, or the run's was
// wrong. Such a time says nothing of when the provider is to be asked again.
func (r LastRun) Ahead(now time.Time) bool { return r.StartedAt.After(now.Add(MaxClockSkew)) }

// Waits reports whether the provider wants to be left alone still.
func (r LastRun) Waits(now time.Time) bool { return now.Before(r.NextCheck) && !r.Ahead(now) }

// Snapshot names one complete read of a feed, so that the next read can tell whether it is the same.
type Snapshot struct {
	RunID        int64 // that read it
	ETag         string
	LastModified string
	Hash         []byte // of the unpacked bytes
	Bytes        int64  // unpacked
	Decoder      Decoder
	Records      int
	Quarantined  int
	QuarantineID int64 // the run that holds its quarantined records
}

// Decoder names what made events of a snapshot: "settings" or, where the time has a say as well, "settings@time".
// The same bytes under the same name are the same events.
type Decoder string

// Settings is the part of the name that stays from day to day: format, version and what the provider's file says.
func (d Decoder) Settings() string {
	settings, _, _ := strings.Cut(string(d), "@")
	return settings
}

// Present is what the catalog has of a provider, as far as a sync compares it with a snapshot.
type Present struct {
	Events   []Known           // those of its latest snapshot, in any order: that of the feed is found in the fastest
	Series   map[string]string // the titles of all its series, by the provider's id
	Upcoming int               // of Events
	None     bool              // it has no event of the provider, not even an old one: there is nothing to look up
}

// Known is an event that the catalog has.
type Known struct {
	ID      ID
	Content Hash
	Record  RecordHash // of the record that it was written from; zero: not known
}

// Series groups events under one title.
type Series struct{ ID, Title string } // the provider's id

// Counts is what a run did, in records and events.
type Counts struct {
	Records     int `json:"records"` // in the snapshot, the quarantined ones too
	Added       int `json:"added"`
	Changed     int `json:"changed"`
	Removed     int `json:"removed"`  // upcoming events that left the snapshot
	Returned    int `json:"returned"` // removed events that are in it again
	Unchanged   int `json:"unchanged"`
	Quarantined int `json:"quarantined"`
}

// Result is how a run ended.
type Result struct {
	NextCheck time.Time // no sooner does the provider want to be asked again; zero: it doesn't say
	Outcome   Outcome
	Counts    Counts
	Snapshot  *Snapshot // nil when none came
	ErrorCode string    // empty, or a word for people and metrics, e.g. TIMEOUT
	Error     string    // for operators; never holds a secret
}

// Stored is an event as the catalog has it.
type Stored struct {
	Event     Event
	Hash      Hash
	Listed    bool
	RemovedAt time.Time // zero unless removed
}

// Write is one event that a run writes, with what is to be said of it.
type Write struct {
	Event   Event
	ID      ID
	Hash    Hash
	Record  RecordHash // zero where the format has none
	New     bool
	Changes []Change
}

// ErrRunning says that another run of the provider is under way.
var ErrRunning = errors.New("a sync of this provider is running already")

// ErrNotDue says that the provider asked not to be asked again so soon.
var ErrNotDue = errors.New("the provider asked to be left alone until later")

// ErrUnavailable says that the database can't be reached, or can't do it now. Another try may do better.
var ErrUnavailable = errors.New("the database is not available")

// ErrSuperseded says that another run has taken the provider over, because this one showed no sign of
// life. It may not apply anything any more: the catalog never goes back.
var ErrSuperseded = errors.New("another run has taken this provider over")

// ErrHeld says that the brake holds a snapshot.
var ErrHeld = errors.New("held by the safety brake")

// ErrNotHeld says that a run is not, or no longer, held by the brake.
var ErrNotHeld = errors.New("the run is not held")
