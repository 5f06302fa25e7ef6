package fetch

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// spool holds a body: in memory up to limit bytes, else in a file. First it is
// written, then it is read, by any number of readers, until it is closed.
type spool struct {
	limit int64
	dir   string
	size  int64
	mem   bytes.Buffer
	file  *os.File
	name  string // of the file, if it could not be unlinked while open
}

func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil && s.size+int64(len(p)) > s.limit {
		if err := s.spill(); err != nil {
			return 0, fail(CodeSpool, "cannot spool the feed: %w", err)
		}
	}
	s.size += int64(len(p))
	if s.file == nil {
		return s.mem.Write(p)
	}
	n, err := s.file.Write(p)
	if err != nil {
		return n, fail(CodeSpool, "cannot spool the feed: %w", err)
	}
	return n, nil
}

// spill moves what is in memory to a file.
func (s *spool) spill() error {
	file, err := os.CreateTemp(s.dir, "marquee-feed-*")
	if err != nil {
		return err
	}
	s.file = file
	if err := os.Remove(file.Name()); err != nil {
		s.name = file.Name() // Windows doesn't unlink open files
	}
	if _, err := s.mem.WriteTo(file); err != nil {
		return err
	}
	s.mem = bytes.Buffer{}
	return nil
}

func (s *spool) reader() *io.SectionReader {
	if s.file == nil {
		return io.NewSectionReader(bytes.NewReader(s.mem.Bytes()), 0, s.size)
	}
	return io.NewSectionReader(s.file, 0, s.size)
}

// Close frees the space. Readers must not be used afterwards.
func (s *spool) Close() error {
	s.mem = bytes.Buffer{}
	if s.file == nil {
		return nil
	}
	file := s.file
	s.file = nil
	err := file.Close()
	if s.name != "" {
		if removeErr := os.Remove(s.name); err == nil {
			err = removeErr
		}
	}
	if err != nil {
		return fmt.Errorf("fetch: close spool: %w", err)
	}
	return nil
}
