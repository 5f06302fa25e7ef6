package event

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ErrNoZone says that there is no time zone of a name.
var ErrNoZone = errors.New("want an IANA time zone such as Europe/Madrid")

// maxZones bounds what is kept; there are some 600.
const maxZones = 1000

//nolint:gochecknoglobals // what was loaded; a zone is the same for as long as the program runs
var (
	zones     sync.Map // of *time.Location, by name
	zonesKept atomic.Int32
)

// LoadZone gives a time zone by its name in the IANA database. It is time.LoadLocation, which reads a file each time, but for
// the machine's own zone, which is nobody's business: the names "" and "Local" stand for none. The error is ErrNoZone.
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
