// Package mapped reads documents of any shape (JSON, XML, CSV) into events, by a jq program of the
// provider's file: the map. The document becomes a JSON value, and the map turns it into objects with the fields of
// an event; see fields.go for the fields and [jq] for the language.
//
// A map is run in stages. The first ends with the first expression that yields many values (`.events[]`), and cuts the document
// into records; the rest, behind the next pipe, is run on one record at a time. So if a map fails, loops or takes too much memory, only
// the record at hand is lost. If it fails before there are records, the whole snapshot is refused.
//
// Maps see nothing but the document: no files, no network, no environment, no clock. The same document
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

// Version rises when the same bytes and settings would give other events than before.
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
	// Map is the jq program that yields events. It is run on the document or, if Records is given or the format
	// is CSV, on each record.
	Map string
	// Records is the jq program that yields records, run on the document. It may be empty.
	Records string

	Separator string   // CSV: one character; empty: that of , ; | and tab which is most frequent in the header line
	Charset   string   // CSV: an IANA name; empty: UTF-8
	Lists     []string // XML: names of elements that are always lists, even if there is only one

	Limits Limits `json:"-"` // fields that are 0 mean the defaults
}

// Limits bound what reading one snapshot may take.
type Limits struct {
	Document  int64         // bytes of a document that is held in memory as a whole
	Record    int64         // bytes of one record, or CSV row, of a document that is read piece by piece
	Time      time.Duration // computing time of the map for one snapshot
	StepTime  time.Duration // computing time of each stage for one record
	Heap      uint64        // bytes by which the process's memory may grow while the map computes
	Events    int           // events of a document that is held in memory as a whole; also records that a stage makes of one record
	PerRecord int           // events of one record
}

// DefaultLimits are about ten times what the largest known feeds need.
func DefaultLimits() Limits {
	return Limits{
		Document:  64 << 20, // the value in memory takes about ten times as much
		Record:    8 << 20,
		Time:      5 * time.Minute,
		StepTime:  2 * time.Second, // a record takes about 30 µs
		Heap:      256 << 20,
		Events:    250_000, // 64 MiB have no room for more
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
	// stream cuts the document into records while it is read, in place of the program's first stage. If it is nil, tree reads the whole
	// document, and the first stage is run on it.
	stream func(io.Reader) iter.Seq2[record, error]
	tree   func(io.Reader) (any, error)
}

// SettingError says which setting is wrong, and where in its text.
type SettingError struct {
	Setting      string // map, records, csv.separator, csv.charset, format
	Line, Column int    // in a program, from 1; 0 if not known
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

// Fingerprint names the settings: it differs between settings by which the same document might give different events.
func (m *Mapping) Fingerprint() string {
	text, _ := json.Marshal(m.settings) // texts and lists of texts never fail
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// record is a part of the document that the map is run on.
type record struct {
	value any
	place string // its place in the document, for people
	fault error  // why it can't be used; nil if it can
}

// errStopped says that yield has returned false.
var errStopped = errors.New("stopped")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %w", event.ErrMalformed, fmt.Errorf(format, args...))
}
