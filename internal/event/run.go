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

// ID is ProviderID of the slug.
func (p Provider) ID() ID { return ProviderID(p.Slug) }

// Outcome is how a SyncRun ended.
type Outcome string

// The outcomes of a run.
const (
	OutcomeRunning    Outcome = "RUNNING"
	OutcomeApplied    Outcome = "APPLIED"    // the catalog changed
	OutcomeUnchanged  Outcome = "UNCHANGED"  // the snapshot was good and held nothing new
	OutcomeFailed     Outcome = "FAILED"     // there was no snapshot, or not a good one; the catalog did not change
	OutcomeHeld       Outcome = "HELD"       // the brake holds the snapshot until a person decides
	OutcomeRejected   Outcome = "REJECTED"   // a person rejected the snapshot, in this run or in an earlier one
	OutcomeSuperseded Outcome = "SUPERSEDED" // another run took over; or the run was held, and a later good snapshot took its place
)

// Run is a SyncRun under way.
type Run struct {
	ID        int64 // rises in the order in which runs start, in all processes
	Provider  Provider
	StartedAt time.Time
	Token     int64     // of the provider's lease; rises with each holder, so that earlier holders can be told apart
	Previous  *Snapshot // the latest good snapshot of the provider, nil if there is none
}

// LastRun is a provider's latest run that ended by itself: its process did not die, it was not told to stop, and no other run
// superseded it.
type LastRun struct {
	ID        int64
	StartedAt time.Time
	NextCheck time.Time // the provider asked for no request before this time; zero if it did not
}

// MaxClockSkew is how far apart the clocks of two machines that sync may be.
const MaxClockSkew = 5 * time.Minute

// Ahead reports whether the run began more than MaxClockSkew after now: this clock was set back since, or that of the run was wrong.
// Then the times of the run don't count for when the provider is to be asked again.
func (r LastRun) Ahead(now time.Time) bool { return r.StartedAt.After(now.Add(MaxClockSkew)) }

// Waits reports whether the time before which the provider asked for no request is still to come.
func (r LastRun) Waits(now time.Time) bool { return now.Before(r.NextCheck) && !r.Ahead(now) }

// Snapshot identifies what one run read of a feed, so that the next run can tell whether the feed is still the same.
type Snapshot struct {
	RunID        int64 // the run that read it
	ETag         string
	LastModified string
	Hash         []byte // of the unpacked bytes and, if it counts, of the charset that HTTP names
	Bytes        int64  // unpacked
	Decoder      Decoder
	Records      int
	Quarantined  int
	QuarantineID int64 // the run whose quarantine has its records
}

// Decoder names what made events of a snapshot: "settings" or, if the events also depend on the time, "settings@time".
// The same bytes with the same Decoder give the same events.
type Decoder string

// Settings is the name without the time: format, version and the settings of the provider's file.
func (d Decoder) Settings() string {
	settings, _, _ := strings.Cut(string(d), "@")
	return settings
}

// Present is what the catalog has of a provider, as far as a sync compares it with a snapshot.
type Present struct {
	Events   []Known           // those of its latest snapshot, in any order; the order of the feed is the fastest
	Series   map[string]string // the titles of all its series, by the provider's id
	Upcoming int               // how many of Events are upcoming
	None     bool              // the catalog has no event of the provider, not even an old or removed one
}

// Known is an event that the catalog has.
type Known struct {
	ID      ID
	Content Hash
	Record  RecordHash // of the record that it was made of; zero if not known
}

// Series is several events under one title. ID is the provider's.
type Series struct{ ID, Title string }

// Counts are the records of a run's snapshot, and what became of their events.
type Counts struct {
	Records     int `json:"records"` // in the snapshot, including the quarantined ones
	Added       int `json:"added"`
	Changed     int `json:"changed"`
	Removed     int `json:"removed"`  // upcoming events that are no longer in the snapshot
	Returned    int `json:"returned"` // removed events that are in the snapshot again
	Unchanged   int `json:"unchanged"`
	Quarantined int `json:"quarantined"`
}

// Result is how a run ended.
type Result struct {
	NextCheck time.Time // the provider asked for no request before this time; zero if it did not
	Outcome   Outcome
	Counts    Counts
	Snapshot  *Snapshot // nil if there was none
	ErrorCode string    // such as TIMEOUT, for people and metrics; empty if the run did not fail
	Error     string    // for operators; without secrets
}

// Stored is an event as the catalog has it.
type Stored struct {
	Event     Event
	Hash      Hash
	Listed    bool
	RemovedAt time.Time // zero unless removed
}

// Write is one event that a run writes, with its changes.
type Write struct {
	Event   Event
	ID      ID
	Hash    Hash
	Record  RecordHash // zero if the format has none
	New     bool       // the catalog does not have the event
	Changes []Change
}

// ErrRunning says that there is another run of the provider at the same time.
var ErrRunning = errors.New("a sync of this provider is running already")

// ErrNotDue says that the time before which the provider asked for no request is still to come.
var ErrNotDue = errors.New("the provider asked to be left alone until later")

// ErrUnavailable says that the database can't be reached, or can't do what was asked now. A later try may succeed.
var ErrUnavailable = errors.New("the database is not available")

// ErrSuperseded says that another run has taken over the provider, because this one did not renew its lease in time. This one may
// apply nothing any more, since its snapshot may be older than what the other has applied.
var ErrSuperseded = errors.New("another run has taken this provider over")

// ErrHeld says that the brake holds a snapshot.
var ErrHeld = errors.New("held by the safety brake")

// ErrNotHeld says that the brake does not hold the run, or holds it no longer.
var ErrNotHeld = errors.New("the run is not held")
