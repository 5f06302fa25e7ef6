package provider

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/fetch"
)

// Source is a provider ready to be synced.
type Source struct {
	config   Config
	defaults event.Defaults
	decoder  decoder
	client   *fetch.Client
}

// New checks a provider's settings; its errors name the field. The source fetches by client.
func New(c Config, client *fetch.Client) (*Source, error) {
	defaults, err := c.validate()
	if err != nil {
		return nil, err
	}
	decoder, err := newDecoder(c)
	if err != nil {
		return nil, err
	}
	return &Source{config: c, defaults: defaults, decoder: decoder, client: client}, nil
}

// Provider is what the catalog keeps of the source.
func (s *Source) Provider() event.Provider {
	return event.Provider{
		Slug: s.config.Slug, Name: s.config.Name, Format: s.config.Format,
		TimeZone: s.config.TimeZone, Currency: s.config.Currency,
	}
}

// Fingerprint names what turns the feed's bytes into events: the format, its version and every setting
// that has a say. The same bytes under the same fingerprint are the same events.
func (s *Source) Fingerprint() string {
	return fmt.Sprintf("%s/%d %s %s %s", s.config.Format, s.decoder.version, s.config.TimeZone, s.config.Currency, s.defaults.Prices)
}

// Fetch gets a snapshot, or learns that the previous one still holds. previous may be nil.
func (s *Source) Fetch(ctx context.Context, previous *event.Snapshot) (*fetch.Snapshot, error) {
	request := fetch.Request{URL: s.config.URL, Secrets: s.config.secrets, AllowPrivate: s.config.AllowPrivateAddresses}
	if previous != nil && previous.Decoder == s.Fingerprint() {
		request.ETag, request.LastModified = previous.ETag, previous.LastModified
	}
	return s.client.Get(ctx, request, nil)
}

// Repeated is the previous snapshot, with its new validators, if what was fetched is the same again and
// would be read as it was; else nil.
func (s *Source) Repeated(previous *event.Snapshot, fetched *fetch.Snapshot) *event.Snapshot {
	if previous == nil || previous.Decoder != s.Fingerprint() {
		return nil
	}
	same := *previous
	if fetched.NotModified {
		return &same
	}
	if !bytes.Equal(previous.Hash, fetched.Hash[:]) {
		return nil
	}
	same.ETag, same.LastModified = fetched.ETag, fetched.LastModified
	return &same
}

// Decode reads a snapshot record by record; see package planlist for how errors come.
func (s *Source) Decode(r io.Reader) iter.Seq2[event.Record, error] {
	return s.decoder.decode(r, s.defaults)
}
