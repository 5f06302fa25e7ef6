package main

import (
	"encoding/hex"
	"fmt"
	"os"

	"github.com/goccy/go-yaml"

	"github.com/aledotdev/marquee/internal/httpapi/ratelimit"
)

// apiKey is an entry of the file --api-keys.
type apiKey struct {
	Name      string    `yaml:"name"`
	SHA256    string    `yaml:"sha256"`    // of the key, in hexadecimal digits: printf %s KEY | sha256sum
	RateLimit rateLimit `yaml:"rateLimit"` // as --rate-limit; not given: what everybody may
}

// readAPIKeys reads the clients that have keys.
func readAPIKeys(name string) (map[ratelimit.KeyHash]ratelimit.Key, error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, configError("--api-keys: %w", err)
	}
	var entries []apiKey
	if err := yaml.UnmarshalWithOptions(text, &entries, yaml.Strict()); err != nil {
		return nil, configError("--api-keys %s: %s", name, yaml.FormatError(err, false, false))
	}
	keys, names := map[ratelimit.KeyHash]ratelimit.Key{}, map[string]bool{}
	for i, e := range entries {
		fault := func(format string, args ...any) error {
			return configError("--api-keys %s: entry %d: %s", name, i+1, fmt.Sprintf(format, args...))
		}
		hash, err := hex.DecodeString(e.SHA256)
		if err != nil || len(hash) != len(ratelimit.KeyHash{}) {
			return nil, fault("sha256: want the 64 hexadecimal digits that sha256sum prints")
		}
		_, known := keys[ratelimit.KeyHash(hash)]
		switch {
		case e.Name == "":
			return nil, fault("name is missing")
		case names[e.Name]:
			return nil, fault("name: there is another %q", e.Name)
		case known:
			return nil, fault("sha256: another client has the same key")
		}
		names[e.Name] = true
		keys[ratelimit.KeyHash(hash)] = ratelimit.Key{Name: e.Name, Budget: e.RateLimit.budget()}
	}
	return keys, nil
}
