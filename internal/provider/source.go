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

// New checks a provider's settings; its errors are of type *ConfigError. The source fetches by client,
// which may be nil for one that only decodes.
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

// String is that of the Config.
func (s *Source) String() string { return s.config.String() }

// GoString is String.
func (s *Source) GoString() string { return s.config.String() }

// Schedule is when the source wants to be synced.
func (s *Source) Schedule() Schedule { return s.schedule }

// Brake is how much a snapshot of the source may take away unseen.
func (s *Source) Brake() event.Brake { return s.config.brake() }

// Provider is what the catalog keeps of the source.
func (s *Source) Provider() event.Provider {
	return event.Provider{
		Slug: s.config.Slug, Name: s.config.Name, Format: s.config.Format,
		TimeZone: s.config.TimeZone, Currency: s.config.Currency,
	}
}

// Fingerprint names what turns the feed's bytes into events: the format, its version, every setting
// that has a say and, where it has one, the time.
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

// Fetch gets a snapshot, or learns that the previous one still holds. previous may be nil, and so may
// progress, which is told how many bytes have come and how many will in all (-1: not known), as sent.
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
	}
	return fetched, err
}

// marked is a validator with a mark of what it is of: the address and the headers that were sent. Of anything else it says
// nothing (RFC 9110, 8.8).
func (s *Source) marked(validator string) string {
	if validator == "" {
		return ""
	}
	return s.resource() + " " + validator
}

// ours is a validator without its mark; empty if it is not of what is asked now.
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

// Decode reads a snapshot record by record; see package planlist for how errors come. When ctx ends, the reading does, with
// its cause for an error.
func (s *Source) Decode(ctx context.Context, r io.Reader) iter.Seq2[event.Record, error] {
	return s.decoder.decode(ctx, cancellable{ctx, r}, s.defaults)
}

// cancellable is a reader until ctx ends.
type cancellable struct {
	ctx context.Context //nolint:containedctx // It is read from as if it had none.
	r   io.Reader
}

// Read implements io.Reader.
func (c cancellable) Read(b []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(b)
}
