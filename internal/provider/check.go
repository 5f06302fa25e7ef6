package provider

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"golang.org/x/text/currency"

	"github.com/aledotdev/marquee/internal/event"
)

var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

// expand fills in each ${NAME} and keeps the values as secrets. A variable that is missing or empty is an error here, since a
// server that is asked without its key answers with an error page, which would look like a broken feed.
func (c *Config) expand(getenv func(string) (string, bool)) error {
	fill := func(field, text string) (string, error) {
		var err error
		filled := variable.ReplaceAllStringFunc(text, func(reference string) string {
			name := reference[2 : len(reference)-1]
			value, _ := getenv(name)
			if value == "" && err == nil {
				err = c.fail(field, fmt.Errorf("environment variable %s is not set", name))
			}
			c.secrets = append(c.secrets, value)
			return value
		})
		return filled, err
	}
	var err error
	if c.URL, err = fill("url", c.URL); err != nil {
		return err
	}
	headers := maps.Clone(c.Headers)
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if headers[name], err = fill("headers."+name, headers[name]); err != nil {
			return err
		}
	}
	c.Headers = headers
	return nil
}

var (
	slugForm   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)
	headerForm = regexp.MustCompile("^[0-9A-Za-z!#$%&'*+.^_`|~-]{1,100}$")
)

const (
	maxNameBytes   = 200
	maxHeaders     = 50
	maxHeaderBytes = 8 << 10
	maxDays        = 3660
)

// check checks all fields except those of the format, and returns the defaults for the feed's records.
func (c *Config) check() (event.Defaults, error) {
	defaults := event.Defaults{Provider: c.Slug, Currency: c.Currency, Prices: cmp.Or(c.Prices, event.PriceAllOffers)}
	switch {
	case !slugForm.MatchString(c.Slug):
		return defaults, c.fail("slug", fmt.Errorf("%q: want 1 to 40 of a-z, 0-9 and inner hyphens", c.Slug))
	case strings.TrimSpace(c.Name) == "":
		return defaults, c.fail("name", errors.New("missing"))
	case len(c.Name) > maxNameBytes:
		return defaults, c.fail("name", fmt.Errorf("longer than %d bytes", maxNameBytes))
	}
	// The error of url.Parse is left out, since it quotes the URL, which may hold a secret.
	if u, err := url.Parse(c.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return defaults, c.fail("url", errors.New("want http://… or https://…"))
	}
	zone, err := event.LoadZone(c.TimeZone)
	if err != nil {
		return defaults, c.fail("timeZone", fmt.Errorf("%q: want an IANA name such as Europe/Madrid", c.TimeZone))
	}
	defaults.Zone = zone
	if unit, err := currency.ParseISO(c.Currency); err != nil || unit.String() != c.Currency {
		return defaults, c.fail("currency", fmt.Errorf("%q: want an ISO 4217 code such as EUR", c.Currency))
	}
	if defaults.Prices != event.PriceAllOffers && defaults.Prices != event.PriceWithCapacity {
		return defaults, c.fail("prices", fmt.Errorf("%q: want %s or %s", c.Prices, event.PriceAllOffers, event.PriceWithCapacity))
	}
	if err := c.checkHeaders(); err != nil {
		return defaults, err
	}
	return defaults, c.checkNumbers()
}

func (c *Config) checkHeaders() error {
	if len(c.Headers) > maxHeaders {
		return c.fail("headers", fmt.Errorf("more than %d", maxHeaders))
	}
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		field, lower := "headers."+name, strings.ToLower(name)
		value := c.Headers[name]
		switch {
		case !headerForm.MatchString(name):
			return c.fail("headers", fmt.Errorf("%q is not a header's name", event.Excerpt(name, 40)))
		case seen[lower]:
			return c.fail(field, errors.New("is given twice: names differ in more than upper and lower case"))
		case slices.Contains([]string{
			"accept-encoding", "connection", "content-length", "host", "if-modified-since", "if-none-match",
			"range", "te", "trailer", "transfer-encoding", "upgrade",
		}, lower):
			return c.fail(field, errors.New("is set by the program itself"))
		case len(value) > maxHeaderBytes || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return c.fail(field, fmt.Errorf("want at most %d bytes without control characters", maxHeaderBytes))
		}
		seen[lower] = true
	}
	return nil
}

func (c *Config) checkNumbers() error {
	for _, number := range []struct {
		field      string
		value      *int
		least, top int
	}{
		{"brake.maxRemovedPercent", c.Brake.MaxRemovedPercent, 0, 100},
		{"brake.minRemoved", c.Brake.MinRemoved, 0, 1_000_000_000},
		{"brake.maxQuarantinedPercent", c.Brake.MaxQuarantinedPercent, 0, 100},
		{"horizon.pastDays", c.Horizon.PastDays, 0, maxDays},
		{"horizon.futureDays", c.Horizon.FutureDays, 1, maxDays},
	} {
		if _, fraction := c.node(number.field).(*ast.FloatNode); fraction { // the YAML decoder would drop the fraction
			return c.fail(number.field, errors.New("want a whole number"))
		}
		if v := number.value; v != nil && (*v < number.least || *v > number.top) {
			return c.fail(number.field, fmt.Errorf("%d: want %d to %d", *v, number.least, number.top))
		}
	}
	return nil
}

// brake is the source's brake, with the defaults for what the file leaves out.
func (c *Config) brake() event.Brake {
	brake := event.DefaultBrake()
	for _, setting := range []struct {
		given *int
		into  *int
	}{
		{c.Brake.MaxRemovedPercent, &brake.MaxRemovedPercent},
		{c.Brake.MinRemoved, &brake.MinRemoved},
		{c.Brake.MaxQuarantinedPercent, &brake.MaxQuarantinedPercent},
	} {
		if setting.given != nil {
			*setting.into = *setting.given
		}
	}
	return brake
}
