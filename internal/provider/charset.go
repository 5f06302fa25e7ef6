package provider

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/aledotdev/marquee/internal/fetch"
)

// Open returns the fetched body from its beginning. If the format leaves the charset to HTTP (RFC 5545, 3.1.4; RFC 4180, 3), the
// body is converted from the charset of Content-Type to UTF-8, but not if it is valid UTF-8 already: many servers name one charset
// for everything that they serve.
func (s *Source) Open(fetched *fetch.Snapshot) (io.Reader, error) {
	body, err := fetched.Open()
	if err != nil {
		return nil, fmt.Errorf("opening the snapshot: %w", err)
	}
	charset := s.charset(fetched)
	if charset == nil {
		return body, nil
	}
	_, invalid := io.Copy(io.Discard, transform.NewReader(body, encoding.UTF8Validator))
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("opening the snapshot: %w", err)
	}
	if !errors.Is(invalid, encoding.ErrInvalidUTF8) {
		return body, nil
	}
	return transform.NewReader(body, charset.NewDecoder()), nil
}

// charset is the encoding from which Open converts what is not UTF-8; nil if it does not.
func (s *Source) charset(fetched *fetch.Snapshot) encoding.Encoding {
	if !s.decoder.charset {
		return nil
	}
	return charsetOf(fetched.ContentType)
}

// addCharset makes the same bytes in another charset another snapshot, as they are other text.
func (s *Source) addCharset(fetched *fetch.Snapshot) {
	charset := s.charset(fetched)
	if charset == nil || fetched.NotModified {
		return
	}
	name, _ := htmlindex.Name(charset) // it was found there by a name
	sum := sha256.Sum256(append(fetched.Hash[:], name...))
	copy(fetched.Hash[:], sum[:])
}

// charsetOf is the encoding that a media type names; nil if that is UTF-8, is not known, or is missing.
func charsetOf(contentType string) encoding.Encoding {
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil
	}
	charset, err := htmlindex.Get(parameters["charset"])
	if err != nil || charset == encoding.Replacement || charset == unicode.UTF8 {
		return nil
	}
	return charset
}
