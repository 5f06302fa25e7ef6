package provider

import (
	"context"
	"io"
	"iter"
	"strconv"

	"github.com/aledotdev/marquee/internal/event"
)

// DecodeUnknown is Decode, but it does not read the records for whose hash known returns yes; these come with Known set, and with
// known's number. known may do so only for a hash that came with a valid record of this source before; see event.Skip for when it is
// called. If the format's records can't be identified without reading them, all are read, none has a hash, and known is not called.
func (s *Source) DecodeUnknown(ctx context.Context, r io.Reader, known func(event.RecordHash) (number int, yes bool)) iter.Seq2[event.Record, error] {
	if s.decoder.decodeUnknown == nil {
		return s.Decode(ctx, r)
	}
	salt := string(s.Fingerprint()) + " " + strconv.Itoa(event.HashVersion)
	return s.decoder.decodeUnknown(cancellable{ctx, r}, s.defaults, event.Skip{Salt: salt, Known: known})
}
