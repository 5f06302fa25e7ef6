package provider

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/fetch"
)

// Source is a provider ready to be synced.
type Source struct {
	config   Config
	defaults event.Defaults
	schedule Schedule
	decoder  decoder
	client   *fetch.Client
}

// Option changes how a source is made.
type Option func(*options)

type options struct{ clock func() time.Time }

// WithClock sets the clock by which a feed's horizon moves; the default is time.Now.
func WithClock(clock func() time.Time) Option { return func(o *options) { o.clock = clock } }

// New checks a provider's settings; its errors are of type *ConfigError. The source fetches with client,
// which may be nil if Fetch is not called.
func New(c Config, client *fetch.Client, with ...Option) (*Source, error) {
	o := options{clock: time.Now}
	for _, option := range with {
		option(&o)
	}
	defaults, err := c.check()
	if err != nil {
		return nil, err
	}
	schedule, err := c.schedule()
	if err != nil {
		return nil, err
	}
	decoder, err := newDecoder(c, o.clock)
	if err != nil {
		return nil, err
	}
	return &Source{config: c, defaults: defaults, schedule: schedule, decoder: decoder, client: client}, nil
}

// String is Config.String, which shows no secrets.
func (s *Source) String() string { return s.config.String() }

// GoString is String.
func (s *Source) GoString() string { return s.config.String() }

// Schedule says when the source is to be synced.
func (s *Source) Schedule() Schedule { return s.schedule }

// Brake says how much a snapshot of the source may take away before a person has to approve it.
func (s *Source) Brake() event.Brake { return s.config.brake() }

// Provider is what the catalog keeps about the source.
func (s *Source) Provider() event.Provider {
	return event.Provider{
		Slug: s.config.Slug, Name: s.config.Name, Format: s.config.Format,
		TimeZone: s.config.TimeZone, Currency: s.config.Currency,
	}
}

// Fingerprint names everything that decides which events the feed's bytes give: the format, its version, the settings and, for
// formats that depend on it, the time.
func (s *Source) Fingerprint() event.Decoder {
	name := fmt.Sprintf("%s/%d %s %s %s", s.config.Format, s.decoder.version, s.config.TimeZone, s.config.Currency, s.defaults.Prices)
	if s.decoder.settings != "" {
		name += " " + s.decoder.settings
	}
	if s.decoder.moment != nil {
		name += "@" + s.decoder.moment()
	}
	return event.Decoder(name)
}

// Fetch gets a snapshot, or learns from the server that the previous one is still current. previous may be nil, as may progress,
// which is called with the bytes received so far and the total (-1: not known), both before decompression. Its errors are those of
// fetch.Client.Get.
func (s *Source) Fetch(ctx context.Context, previous *event.Snapshot, progress func(bytes, total int64)) (*fetch.Snapshot, error) {
	request := fetch.Request{URL: s.config.URL, Secrets: s.config.secrets, AllowPrivate: s.config.AllowPrivateAddresses}
	if len(s.config.Headers) > 0 {
		request.Header = http.Header{}
		for name, value := range s.config.Headers {
			request.Header.Set(name, value)
		}
	}
	if previous != nil && previous.Decoder == s.Fingerprint() {
		request.ETag, request.LastModified = s.ours(previous.ETag), s.ours(previous.LastModified)
	}
	var tell func(fetch.Progress)
	if progress != nil {
		tell = func(p fetch.Progress) { progress(p.Wire, p.Total) }
	}
	fetched, err := s.client.Get(ctx, request, tell)
	if err == nil {
		fetched.ETag, fetched.LastModified = s.marked(fetched.ETag), s.marked(fetched.LastModified)
		s.addCharset(fetched)
	}
	return fetched, err
}

// marked is a validator with a mark of its resource, the address and the headers that were sent: for any other resource the
// validator means nothing (RFC 9110, 8.8).
func (s *Source) marked(validator string) string {
	if validator == "" {
		return ""
	}
	return s.resource() + " " + validator
}

// ours is a validator without its mark; empty if the mark is that of another resource.
func (s *Source) ours(validator string) string {
	own, ok := strings.CutPrefix(validator, s.resource()+" ")
	if !ok {
		return ""
	}
	return own
}

func (s *Source) resource() string {
	sum := sha256.Sum256(fmt.Append(nil, s.config.URL, s.config.Headers)) // maps are printed in order
	return hex.EncodeToString(sum[:8])
}

// Repeated is the previous snapshot with the validators of the new answer, if the same bytes were fetched again and would give the
// same events; else nil.
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

// Decode reads a snapshot record by record. An error, if any, comes last and ends the snapshot; it wraps event.ErrMalformed if the
// feed is at fault. When ctx ends, so does the reading, with the cause as its error.
func (s *Source) Decode(ctx context.Context, r io.Reader) iter.Seq2[event.Record, error] {
	return s.decoder.decode(ctx, cancellable{ctx, r}, s.defaults)
}

// cancellable reads from r until ctx ends.
type cancellable struct {
	ctx context.Context //nolint:containedctx // io.Reader has no parameter for it.
	r   io.Reader
}

// Read implements io.Reader.
func (c cancellable) Read(b []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(b)
}
