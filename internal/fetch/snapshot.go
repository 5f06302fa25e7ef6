package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Snapshot is one complete read of a feed, or the news that there is none since
// the last ([Snapshot.NotModified]). Close it when done.
type Snapshot struct {
	// NotModified: the provider answered 304, there is no body. ETag and
	// LastModified then are the ones to go on with.
	NotModified bool
	Status      int // 200 or 304; 0 for local files

	// ETag and LastModified are to be sent with the next request; empty when the
	// provider gave none, or none that can be sent back.
	ETag, LastModified string
	ContentType        string

	WireSize int64 // bytes as sent
	Size     int64 // bytes unpacked
	// Hash is the XXH3-128 of the unpacked bytes. It tells equal from changed; it
	// does not withstand a provider that wants to collide with itself.
	Hash [16]byte

	// NextCheck: ask again no sooner than this, as the provider wishes; 0 when it
	// has no wish, at most [Limits.NextCheck].
	NextCheck time.Duration
	Attempts  int

	spool *spool
}

// Open returns a reader of the unpacked body, at its beginning. Each call
// returns an independent one, safe beside the others; all are dead after
// [Snapshot.Close]. Returns [ErrNoBody] when there is none, or no more.
func (s *Snapshot) Open() (*io.SectionReader, error) {
	if s.spool == nil {
		return nil, ErrNoBody
	}
	return s.spool.reader(), nil
}

// Close gives memory or disk back. It may be called more than once.
func (s *Snapshot) Close() error {
	if s.spool == nil {
		return nil
	}
	sp := s.spool
	s.spool = nil
	return sp.Close()
}

// FromBytes makes a snapshot of a body that is at hand, under [DefaultLimits]
// and the same checks as [Client.Get]: one layer of gzip or zstd is unpacked, a
// web page refused.
func FromBytes(body []byte) (*Snapshot, error) {
	return local("", bytes.NewReader(body), DefaultLimits(), "")
}

// FromReader is [FromBytes] for a stream, under the client's limits. name
// appears in errors.
func (c *Client) FromReader(name string, r io.Reader) (*Snapshot, error) {
	return local(name, r, c.limits, c.spoolDir)
}

// FromFile makes a snapshot of a file: see [FromBytes]. The file is copied, so
// that a writer cannot change it under the parser.
func (c *Client) FromFile(path string) (*Snapshot, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	defer file.Close()
	return c.FromReader(path, file)
}

func local(name string, r io.Reader, limits Limits, dir string) (*Snapshot, error) {
	snap, err := receive(&capped{r: r, limit: limits.WireBytes}, "", "", limits, dir, nil)
	if err == nil {
		return snap, nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		e.URL = name
		return nil, e
	}
	return nil, fmt.Errorf("fetch %s: %w", name, err)
}
