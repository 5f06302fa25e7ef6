package provider

import (
	"context"
	"io"
	"iter"
	"strconv"

	"github.com/aledotdev/marquee/internal/event"
)

// DecodeUnknown is Decode but for the records that known says need not be read, which come as Known ones: those whose
// hash came with a valid record of this source before. See event.Skip for when it is asked. Of a format whose records
// can't be told apart unread, all are read, and none has a hash.
func (s *Source) DecodeUnknown(ctx context.Context, r io.Reader, known func(event.RecordHash) (number int, yes bool)) iter.Seq2[event.Record, error] {
	if s.decoder.decodeUnknown == nil {
		return s.Decode(ctx, r)
	}
	salt := string(s.Fingerprint()) + " " + strconv.Itoa(event.HashVersion)
	return s.decoder.decodeUnknown(cancellable{ctx, r}, s.defaults, event.Skip{Salt: salt, Known: known})
}
