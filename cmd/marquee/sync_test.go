package main

import (
	"slices"
	"testing"

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
