package provider

import (
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

// Open reads what was fetched, from its beginning. Where the format leaves that to HTTP, a charset that is named there holds
// (RFC 5545, 3.1.4; RFC 4180, 3), unless the body is UTF-8 all the same: many servers name one for whatever they serve.
func (s *Source) Open(fetched *fetch.Snapshot) (io.Reader, error) {
	body, err := fetched.Open()
	if err != nil {
		return nil, fmt.Errorf("opening the snapshot: %w", err)
	}
	charset := charsetOf(fetched.ContentType)
	if !s.decoder.charset || charset == nil {
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

// charsetOf is the encoding that a media type names; nil: UTF-8, or none that is known.
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
