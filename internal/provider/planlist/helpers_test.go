package planlist_test

import (
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// madrid is the settings of a provider in Madrid.
func madrid(tb testing.TB) event.Defaults {
	tb.Helper()
	zone, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		tb.Fatal(err)
	}
	return event.Defaults{Provider: "acme", Zone: zone, Currency: "EUR", Prices: event.PriceAllOffers}
}
