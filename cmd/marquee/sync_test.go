package main

import (
	"slices"
	"testing"

	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
	"github.com/aledotdev/marquee/internal/provider"
)

// TestNamed: a provider that is named twice is synced once.
func TestNamed(t *testing.T) {
	t.Parallel()
	var sources []*provider.Source
	for _, slug := range []string{"acme", "bravo", "charlie"} {
		source, err := provider.New(provider.Config{
			Slug: slug, Name: slug, URL: "https://acme.example", Format: "planlist", TimeZone: "UTC", Currency: "EUR",
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, source)
	}
	for _, test := range []struct {
		slugs []string
		want  []*provider.Source
	}{
		{nil, sources},
		{[]string{"charlie", "acme", "charlie"}, []*provider.Source{sources[2], sources[0]}},
	} {
		if got, err := named(sources, test.slugs); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%v: %v, %v", test.slugs, got, err)
		}
	}
}

// TestDueIsTold: what --due has done is logged on a terminal, too, where nothing else says it.
//
//nolint:paralleltest // alone changes the working directory.
func TestDueIsTold(t *testing.T) {
	stdout := terminal(t)
	alone(t)
	write(t, "acme.yaml", "slug: acme\nname: Acme\nurl: http://127.0.0.1:1/\nformat: planlist\ntimeZone: UTC\ncurrency: EUR\n")
	log := &journal{}
	code := run(t.Context(), []string{"sync", "--due", "--log-format=json", "--providers=.", "--database-url=" + pgtest.URL(t)}, stdout, log)
	if code != exitOK || len(log.lines("nothing is due any more")) == 0 {
		t.Errorf("exit code %d: %s", code, log.text.String())
	}
}
