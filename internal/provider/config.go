// Package provider knows the sources of listings: their files, their formats, how a snapshot of each is
// fetched and read.
package provider

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"golang.org/x/text/currency"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/fetch"
)

// ErrConfig is wrapped by every error about a provider's file.
var ErrConfig = errors.New("provider file")

// Config is a provider's file.
type Config struct {
	Slug     string `yaml:"slug"`
	Name     string `yaml:"name"`
	URL      string `yaml:"url"` // ${NAME} is filled in from the environment
	Format   string `yaml:"format"`
	TimeZone string `yaml:"timeZone"`
	Currency string `yaml:"currency"`
	// Prices says which offers count for an event's price bounds: all (the default) or with-capacity.
	Prices event.PriceRule `yaml:"prices"`
	// AllowPrivateAddresses lets the feed be inside one's own network.
	AllowPrivateAddresses bool `yaml:"allowPrivateAddresses"`

	secrets []string // what ${NAME} stood for: never shown or logged
}

// maxFileBytes bounds a provider's file; real ones have under 2 kB.
const maxFileBytes = 256 << 10

// LoadDir reads every *.yaml and *.yml of a directory, in the order of their names.
func LoadDir(dir string, getenv func(string) (string, bool), client *fetch.Client) ([]*Source, error) {
	var paths []string
	for _, pattern := range []string{"*.yaml", "*.yml"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrConfig, err)
		}
		paths = append(paths, found...)
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	slices.Sort(paths)
	var sources []*Source
	seen := map[string]string{}
	for _, path := range paths {
		source, err := LoadFile(path, getenv, client)
		if err != nil {
			return nil, err
		}
		slug := source.config.Slug
		if other, twice := seen[slug]; twice {
			return nil, fmt.Errorf("%w %s: slug: %q is taken by %s", ErrConfig, path, slug, other)
		}
		seen[slug] = path
		sources = append(sources, source)
	}
	return sources, nil
}

// LoadFile reads one provider's file.
func LoadFile(path string, getenv func(string) (string, bool), client *fetch.Client) (*Source, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	defer file.Close()
	config, err := Parse(io.LimitReader(file, maxFileBytes), getenv)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrConfig, path, err)
	}
	source, err := New(config, client)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrConfig, path, err)
	}
	return source, nil
}

// Parse reads a provider's YAML. An unknown key is an error; all errors name line or field.
func Parse(r io.Reader, getenv func(string) (string, bool)) (Config, error) {
	var c Config
	if err := yaml.NewDecoder(r, yaml.Strict()).Decode(&c); err != nil {
		return Config{}, fmt.Errorf("%s", yaml.FormatError(err, false, true))
	}
	var err error
	if c.URL, c.secrets, err = expand(c.URL, getenv); err != nil {
		return Config{}, fmt.Errorf("url: %w", err)
	}
	return c, nil
}

var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

// expand fills in ${NAME} and lists the values. An unset variable is an error: a feed without its key
// would answer with a page that explains so, and look broken.
func expand(s string, getenv func(string) (string, bool)) (expanded string, values []string, err error) {
	expanded = variable.ReplaceAllStringFunc(s, func(reference string) string {
		name := reference[2 : len(reference)-1]
		value, ok := getenv(name)
		if !ok {
			err = fmt.Errorf("environment variable %s is not set", name)
		}
		values = append(values, value)
		return value
	})
	return expanded, values, err
}

var slugForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// validate checks every field and returns what the records are completed with.
func (c *Config) validate() (event.Defaults, error) {
	defaults := event.Defaults{Provider: c.Slug, Currency: c.Currency, Prices: c.Prices}
	if !slugForm.MatchString(c.Slug) {
		return defaults, fmt.Errorf("slug: %q: want 1 to 40 of a-z, 0-9 and inner hyphens", c.Slug)
	}
	if c.Name == "" {
		return defaults, errors.New("name: missing")
	}
	if !strings.HasPrefix(c.URL, "http://") && !strings.HasPrefix(c.URL, "https://") {
		return defaults, errors.New("url: want http://… or https://…")
	}
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil || c.TimeZone == "" || c.TimeZone == "Local" {
		return defaults, fmt.Errorf("timeZone: %q: want an IANA name such as Europe/Madrid", c.TimeZone)
	}
	defaults.Zone = zone
	if unit, err := currency.ParseISO(c.Currency); err != nil || unit.String() != c.Currency {
		return defaults, fmt.Errorf("currency: %q: want an ISO 4217 code such as EUR", c.Currency)
	}
	switch c.Prices {
	case "":
		defaults.Prices = event.PriceAllOffers
	case event.PriceAllOffers, event.PriceWithCapacity:
	default:
		return defaults, fmt.Errorf("prices: %q: want %s or %s", c.Prices, event.PriceAllOffers, event.PriceWithCapacity)
	}
	return defaults, nil
}
