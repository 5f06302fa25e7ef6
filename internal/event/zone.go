package event

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ErrNoZone says that there is no time zone with a name.
var ErrNoZone = errors.New("want an IANA time zone such as Europe/Madrid")

// maxZones bounds how many zones are kept; the IANA database has some 600.
const maxZones = 1000

//nolint:gochecknoglobals // a cache: a zone stays the same for as long as the program runs
var (
	zones     sync.Map // of *time.Location, by name
	zonesKept atomic.Int32
)

// LoadZone returns the time zone with a name of the IANA database, or ErrNoZone. It is time.LoadLocation with a cache, since that
// reads a file each time; but the names "" and "Local" are errors, since the machine's own zone must not matter. It is safe for
// concurrent use.
func LoadZone(name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil //nolint:forcetypeassert // there is nothing else in it
	}
	if name == "" || name == "Local" {
		return nil, ErrNoZone
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, ErrNoZone
	}
	if zonesKept.Add(1) <= maxZones {
		zones.Store(strings.Clone(name), zone)
	}
	return zone, nil
}
