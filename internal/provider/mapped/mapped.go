// Package mapped reads documents of any shape (JSON, XML, CSV) into events by a jq program of the
// provider's file. The document becomes a JSON value, the program turns it into objects with the fields of
// an event; see fields.go for their names and [jq] for the language.
//
// A map is run piece by piece: all up to the first thing that yields many (`.events[]`) cuts the document
// into records, what is behind the next pipe is run on one record at a time. So a fault costs one record,
// and a map that fails, loops or grows does so for that record only. What fails before there are records
// costs the snapshot.
//
// Maps see the document and nothing else: no files, no network, no environment, no clock. The same document
// gives the same events wherever and whenever it is read.
//
// [jq]: https://jqlang.org/manual/
package mapped

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// Version changes when the same bytes and settings would give other events than before.
const Version = 4

// The formats of documents.
const (
	JSON = "json"
	XML  = "xml"
	CSV  = "csv"
)

// Settings say how the documents of one provider are read.
type Settings struct {
	Format string // JSON, XML or CSV
	// Map is the jq program that yields events. Run on the document or, if Records is given or the format
	// is CSV, on one record.
	Map string
	// Records is the jq program that yields records, run on the document. It may be empty.
	Records string

	Separator string   // of CSV: one character; empty: , ; | or a tab, whichever the header line has most of
	Charset   string   // of CSV, by its IANA name; empty: UTF-8
	Lists     []string // of XML: the elements that are always lists, however many there are

	Limits Limits `json:"-"` // zero fields mean the defaults
}

// Limits bound what reading one snapshot may take.
type Limits struct {
	Document  int64         // bytes of a document that is held in memory whole
	Record    int64         // bytes of one record of a document that is not, CSV rows too
	Time      time.Duration // that the map may compute for one snapshot
	StepTime  time.Duration // the same for one record
	Heap      uint64        // bytes by which the process's memory may grow while the map computes
	Events    int           // of a document that is held in memory whole, and of records in a record
	PerRecord int           // events of one record
}

// DefaultLimits pass every honest feed that we know of with an order of magnitude to spare.
func DefaultLimits() Limits {
	return Limits{
		Document:  64 << 20, // in memory a tree takes some ten times as much
		Record:    8 << 20,
		Time:      5 * time.Minute,
		StepTime:  2 * time.Second, // a record takes some 30 µs
		Heap:      256 << 20,
		Events:    250_000, // a document of 64 MiB has room for no more
		PerRecord: 1_000,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	return Limits{
		Document:  cmp.Or(l.Document, d.Document),
		Record:    cmp.Or(l.Record, d.Record),
		Time:      cmp.Or(l.Time, d.Time),
		StepTime:  cmp.Or(l.StepTime, d.StepTime),
		Heap:      cmp.Or(l.Heap, d.Heap),
		Events:    cmp.Or(l.Events, d.Events),
		PerRecord: cmp.Or(l.PerRecord, d.PerRecord),
	}
}

// Mapping reads the documents of one provider. It is safe for concurrent use.
type Mapping struct {
	settings Settings
	program  program
	// stream cuts the document into records while it is read. Nil: the program's first stage does so, for
	// which the document is held in memory whole.
	stream func(io.Reader) iter.Seq2[record, error]
	tree   func(io.Reader) (any, error)
}

// SettingError says which setting is wrong, and where in its text.
type SettingError struct {
	Setting      string // map, records, csv.separator, csv.charset
	Line, Column int    // of a program, from 1; 0 where that isn't known
	Err          error
}

// Error names the setting and the place.
func (e *SettingError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.Setting, e.Err)
	}
	return fmt.Sprintf("%s: line %d, column %d: %v", e.Setting, e.Line, e.Column, e.Err)
}

// Unwrap is what is wrong.
func (e *SettingError) Unwrap() error { return e.Err }

// New compiles the settings. Its errors are of type *SettingError.
func New(s Settings) (*Mapping, error) {
	s.Limits = s.Limits.withDefaults()
	m := &Mapping{settings: s}
	var err error
	if m.program, err = compile(s); err != nil {
		return nil, err
	}
	switch s.Format {
	case JSON:
		m.tree = s.readJSON
		if m.program.path != nil {
			m.stream = func(r io.Reader) iter.Seq2[record, error] { return s.streamJSON(r, m.program.path) }
		}
	case XML:
		m.tree = s.readXML
	case CSV:
		table, err := s.table()
		if err != nil {
			return nil, err
		}
		m.tree = table.read
		if m.program.path != nil && len(m.program.path) == 0 {
			m.stream = table.stream
		}
	default:
		return nil, &SettingError{Setting: "format", Err: fmt.Errorf("%q: want %s, %s or %s", s.Format, JSON, XML, CSV)}
	}
	return m, nil
}

// Fingerprint names the settings: it differs where the same document might give other events.
func (m *Mapping) Fingerprint() string {
	text, _ := json.Marshal(m.settings) // strings only: can't fail
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// record is a part of the document that the map is run on.
type record struct {
	value any
	place string // where in the feed, for people
	fault error  // why it is none; mostly nil
}

// errStopped says that the reader of the events wants no more.
var errStopped = errors.New("stopped")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %w", event.ErrMalformed, fmt.Errorf(format, args...))
}
