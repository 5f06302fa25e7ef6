// Package provider has the sources of listings: their files, their formats, and how their snapshots are fetched and read.
package provider

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/fetch"
)

// Config is what a provider's file says. A key in the file that has no field here is an error.
type Config struct {
	Slug     string `yaml:"slug"`
	Name     string `yaml:"name"`
	URL      string `yaml:"url"` // ${NAME} is filled in from the environment
	Format   string `yaml:"format"`
	TimeZone string `yaml:"timeZone"`
	Currency string `yaml:"currency"`

	// Schedule is a cron expression of five fields, in UTC; Every is a Go duration such as 15m, from 10s to 744h. Only one of the two
	// may be given; if neither is, the program's own schedule holds.
	Schedule string `yaml:"schedule"`
	Every    string `yaml:"every"`

	// Map and Records are the jq programs of the formats json, xml and csv; see package mapped.
	Map     string    `yaml:"map"`
	Records string    `yaml:"records"`
	CSV     CSVConfig `yaml:"csv"`
	XML     XMLConfig `yaml:"xml"`
	// Horizon says for which days the recurring events of an icalendar feed are expanded.
	Horizon HorizonConfig `yaml:"horizon"`

	// Prices says which offers count for an event's price bounds: all (the default) or with-capacity.
	Prices event.PriceRule `yaml:"prices"`
	Brake  BrakeConfig     `yaml:"brake"`

	// Headers are sent with each request; ${NAME} is filled in from the environment.
	Headers map[string]string `yaml:"headers"`
	// AllowPrivateAddresses permits a URL whose host has a private or loopback address.
	AllowPrivateAddresses bool `yaml:"allowPrivateAddresses"`

	secrets []string  // the values of all ${NAME}: never shown or logged
	file    *ast.File // to find the lines of fields; nil if the Config was not read from a file
}

// String is the slug, since the URL and the headers may hold secrets.
func (c Config) String() string { return "provider " + c.Slug }

// GoString is String.
func (c Config) GoString() string { return c.String() }

// CSVConfig says how a csv feed is written.
type CSVConfig struct {
	Separator string `yaml:"separator"` // one character; missing: found in the header line
	Charset   string `yaml:"charset"`   // an IANA name; missing: that of Content-Type, else UTF-8
}

// XMLConfig says how an xml feed is read.
type XMLConfig struct {
	Lists []string `yaml:"lists"` // names of elements that are always lists, even if there is only one
}

// HorizonConfig is in whole days (UTC) before and after today.
type HorizonConfig struct {
	PastDays   *int `yaml:"pastDays"`   // 0 to 3660; missing: 30
	FutureDays *int `yaml:"futureDays"` // 1 to 3660; missing: 400
}

// BrakeConfig says how much a snapshot may take away; for what is missing, event.DefaultBrake holds.
type BrakeConfig struct {
	MaxRemovedPercent     *int `yaml:"maxRemovedPercent"`     // 0 to 100
	MinRemoved            *int `yaml:"minRemoved"`            // 0 to 1,000,000,000
	MaxQuarantinedPercent *int `yaml:"maxQuarantinedPercent"` // 0 to 100
}

// maxFileBytes bounds a provider's file; real ones have under 5 kB.
const maxFileBytes = 256 << 10

// LoadDir reads every *.yaml and *.yml file of a directory, in the order of their names; no two may have the same slug. Its errors
// are of type *ConfigError.
func LoadDir(dir string, getenv func(string) (string, bool), client *fetch.Client, options ...Option) ([]*Source, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, syscall.ENOTDIR) {
		err = fmt.Errorf("want the directory that provider files are in: %w", err)
	}
	if err != nil {
		return nil, &ConfigError{File: dir, Err: err}
	}
	var sources []*Source
	seen := map[string]string{}
	for _, entry := range entries {
		if extension := filepath.Ext(entry.Name()); entry.IsDir() || extension != ".yaml" && extension != ".yml" {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		source, err := LoadFile(path, getenv, client, options...)
		if err != nil {
			return nil, err
		}
		slug := source.config.Slug
		if other, twice := seen[slug]; twice {
			return nil, source.config.fail("slug", fmt.Errorf("%q is taken by %s", slug, other)).in(path)
		}
		seen[slug] = path
		sources = append(sources, source)
	}
	return sources, nil
}

// LoadFile reads one provider's file, of at most 256 KiB. Its errors are of type *ConfigError.
func LoadFile(path string, getenv func(string) (string, bool), client *fetch.Client, options ...Option) (*Source, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, &ConfigError{File: path, Err: err}
	}
	defer file.Close()
	config, err := Parse(file, getenv)
	if err != nil {
		return nil, named(err, path)
	}
	source, err := New(config, client, options...)
	if err != nil {
		return nil, named(err, path)
	}
	return source, nil
}

// Parse reads a provider's YAML, and fills in each ${NAME} with what getenv returns. Its errors are of type *ConfigError. It does not
// check the values of the fields; New does.
func Parse(r io.Reader, getenv func(string) (string, bool)) (Config, error) {
	var c Config
	text, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return c, c.fail("", err)
	}
	if len(text) > maxFileBytes {
		return c, c.fail("", fmt.Errorf("longer than %d bytes", maxFileBytes))
	}
	if c.file, err = parser.ParseBytes(text, 0); err != nil {
		return c, c.locate(err)
	}
	documents := slices.DeleteFunc(slices.Clone(c.file.Docs), func(d *ast.DocumentNode) bool { return d.Body == nil })
	if len(documents) != 1 {
		return c, c.fail("", fmt.Errorf("has %d documents, want one", len(documents)))
	}
	if err := yaml.NodeToValue(documents[0].Body, &c, yaml.Strict()); err != nil {
		return c, c.locate(err)
	}
	return c, c.expand(getenv)
}
