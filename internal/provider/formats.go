package provider

import (
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/planlist"
)

// decoder reads the snapshots of one provider. Its version changes when the same bytes would give other
// events than before.
type decoder struct {
	decode  func(io.Reader, event.Defaults) iter.Seq2[event.Record, error]
	version int
}

// formats is all there are: a new one is a folder, and a line here.
//
//nolint:gochecknoglobals // A constant: Go has no literal for constant maps.
var formats = map[string]func(Config) (decoder, error){
	"planlist": func(Config) (decoder, error) { return decoder{planlist.Decode, planlist.Version}, nil },
}

func newDecoder(c Config) (decoder, error) {
	construct, ok := formats[c.Format]
	if !ok {
		return decoder{}, fmt.Errorf("format: %q: want one of %s", c.Format, strings.Join(slices.Sorted(maps.Keys(formats)), ", "))
	}
	return construct(c)
}
