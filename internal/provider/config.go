// Package provider knows the sources of listings: their files, their formats, how a snapshot of each is
// fetched and read.
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

// Config is a provider's file. All of its keys are here; another one is an error.
type Config struct {
	Slug     string `yaml:"slug"`
	Name     string `yaml:"name"`
	URL      string `yaml:"url"` // ${NAME} is filled in from the environment
	Format   string `yaml:"format"`
	TimeZone string `yaml:"timeZone"`
	Currency string `yaml:"currency"`

	// Schedule is a cron expression of five fields, in UTC. Every is a Go duration (15m) in its stead.
	// Neither: the program's own schedule.
	Schedule string `yaml:"schedule"`
	Every    string `yaml:"every"`

	// Map and Records are the jq programs of the formats json, xml and csv; see package mapped.
	Map     string    `yaml:"map"`
	Records string    `yaml:"records"`
	CSV     CSVConfig `yaml:"csv"`
	XML     XMLConfig `yaml:"xml"`
	// Horizon says which dates of recurring events an icalendar feed is read for.
	Horizon HorizonConfig `yaml:"horizon"`

	// Prices says which offers count for an event's price bounds: all (the default) or with-capacity.
	Prices event.PriceRule `yaml:"prices"`
	Brake  BrakeConfig     `yaml:"brake"`

	// Headers go with each request; ${NAME} is filled in from the environment.
	Headers map[string]string `yaml:"headers"`
	// AllowPrivateAddresses lets the feed be inside one's own network.
	AllowPrivateAddresses bool `yaml:"allowPrivateAddresses"`

	secrets []string  // what ${NAME} stood for: never shown or logged
	file    *ast.File // where fields have their lines from; nil for a Config that no file holds
}

// String is the slug, since the URL and the headers may hold secrets.
func (c Config) String() string { return "provider " + c.Slug }

// GoString is String.
func (c Config) GoString() string { return c.String() }

// CSVConfig says how a csv feed is written.
type CSVConfig struct {
	Separator string `yaml:"separator"` // missing: found by the header line
	Charset   string `yaml:"charset"`   // missing: UTF-8
}

// XMLConfig says how an xml feed is read.
type XMLConfig struct {
	Lists []string `yaml:"lists"` // elements that are lists, also where there is one
}

// HorizonConfig is in whole days (UTC) around today.
type HorizonConfig struct {
	PastDays   *int `yaml:"pastDays"`   // 0 to 3660; missing: 30
	FutureDays *int `yaml:"futureDays"` // 1 to 3660; missing: 400
}

// BrakeConfig is how much a snapshot may take away; what is missing is as in event.DefaultBrake.
type BrakeConfig struct {
	MaxRemovedPercent     *int `yaml:"maxRemovedPercent"`     // 0 to 100
	MinRemoved            *int `yaml:"minRemoved"`            // 0 and above
	MaxQuarantinedPercent *int `yaml:"maxQuarantinedPercent"` // 0 to 100
}

// maxFileBytes bounds a provider's file; real ones have under 5 kB.
const maxFileBytes = 256 << 10

// LoadDir reads every *.yaml and *.yml of a directory, in the order of their names. Its errors, and those
// of LoadFile, are of type *ConfigError.
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

// LoadFile reads one provider's file.
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

// Parse reads a provider's YAML, and fills in what it wants of the environment. Its errors are of type
// *ConfigError. What is in the fields is checked by New.
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
