package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Snapshot is one complete read of a feed, or the answer that the feed has not
// changed since the last read ([Snapshot.NotModified]). Close it when done.
type Snapshot struct {
	// NotModified says that the provider answered 304, so that there is no body.
	// ETag and LastModified are set in this case, too.
	NotModified bool
	Status      int // 200 or 304; 0 for local files

	// ETag and LastModified are to be sent with the next request. They are empty
	// if the provider gave none, or none that can be sent back.
	ETag, LastModified string
	ContentType        string // as the provider says, cut to 100 characters

	WireSize int64 // bytes as sent
	Size     int64 // bytes unpacked
	// Hash is the XXH3-128 of the unpacked bytes. It shows whether a feed has
	// changed by accident or in earnest, but a provider could make two feeds with
	// the same hash on purpose.
	Hash [16]byte

	// NextCheck is how long the provider asks to be left alone, at most
	// [Limits.NextCheck]; 0 if it does not ask.
	NextCheck time.Duration
	Attempts  int // that were needed; 0 for local files

	spool *spool
}

// Open returns a reader of the unpacked body, at its beginning. Each call
// returns an independent reader; several may be used at the same time, but none
// after [Snapshot.Close]. The error is [ErrNoBody] if there is no body, or if
// the snapshot is closed.
func (s *Snapshot) Open() (*io.SectionReader, error) {
	if s.spool == nil {
		return nil, ErrNoBody
	}
	return s.spool.reader(), nil
}

// Close frees the memory or the disk space. It may be called more than once.
func (s *Snapshot) Close() error {
	if s.spool == nil {
		return nil
	}
	sp := s.spool
	s.spool = nil
	return sp.Close()
}

// FromBytes makes a snapshot of a body, under [DefaultLimits] and with the
// checks of [Client.Get]: one layer of gzip or zstd is unpacked, and a web page
// is refused.
func FromBytes(body []byte) (*Snapshot, error) {
	return local("", bytes.NewReader(body), DefaultLimits(), "")
}

// FromReader is [FromBytes] for a stream, under the client's limits of size.
// name appears in errors.
func (c *Client) FromReader(name string, r io.Reader) (*Snapshot, error) {
	return local(name, r, c.limits, c.spoolDir)
}

// FromFile is [Client.FromReader] for a file. The file is copied, so that it
// cannot change while it is parsed.
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
