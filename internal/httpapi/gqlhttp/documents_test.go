package gqlhttp_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/httpapi/gqlhttp"
)

const known = `query Known { providers { slug } }`

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// persisted is a request of Apollo's, with or without the text.
func persisted(hash, text string) string {
	request := map[string]any{"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}}
	if text != "" {
		request["query"] = text
	}
	b, err := json.Marshal(request)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestPersistedQueries(t *testing.T) {
	t.Parallel()
	h := handler(&shelf{})
	hash := sha(known)
	w := post(t, h, persisted(hash, ""))
	if w.Code != http.StatusOK || codes(t, w) != "PERSISTED_QUERY_NOT_FOUND" || !strings.Contains(w.Body.String(), `"message":"PersistedQueryNotFound"`) || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("not told yet: status %d, %s", w.Code, w.Body)
	}
	if w := post(t, h, persisted(hash, known+" ")); w.Code != http.StatusBadRequest || codes(t, w) != "BAD_USER_INPUT" {
		t.Errorf("another text: status %d, %s", w.Code, w.Body)
	}
	if w := post(t, h, persisted(hash, "")); codes(t, w) != "PERSISTED_QUERY_NOT_FOUND" {
		t.Errorf("a text of another hash was kept: %s", w.Body)
	}
	for range 2 {
		if w := post(t, h, persisted(hash, known)); w.Body.String() != answered {
			t.Errorf("told: status %d, %s", w.Code, w.Body)
		}
	}
	if w := post(t, h, persisted(hash, "")); w.Body.String() != answered {
		t.Errorf("by hash: status %d, %s", w.Code, w.Body)
	}
	if w := get(t, h, "extensions", `{"persistedQuery":{"version":1,"sha256Hash":"`+hash+`"}}`); w.Body.String() != answered || w.Header().Get("ETag") == "" {
		t.Errorf("by GET: status %d, %s", w.Code, w.Body)
	}
	if w := post(t, h, strings.Replace(persisted(hash, ""), `"version":1`, `"version":2`, 1)); codes(t, w) != "BAD_USER_INPUT" {
		t.Errorf("another version of it: %s", w.Body)
	}
}

func TestTrustedDocuments(t *testing.T) {
	t.Parallel()
	const free = `query Free { providers { name } }`
	requests := map[string]string{
		"id":        `{"documentId":"k1"}`,
		"relay":     `{"doc_id":"k1"}`,
		"relay id":  `{"id":"k1"}`,
		"hash":      persisted("k1", ""),
		"text":      `{"query":"` + known + `"}`,
		"free":      `{"query":"` + free + `"}`,
		"free hash": persisted(sha(free), free),
		"unknown":   `{"documentId":"k2"}`,
	}
	for mode, want := range map[gqlhttp.DocumentMode]map[string]string{
		gqlhttp.DocumentsOpen:   {"id": "", "relay": "", "relay id": "", "hash": "", "text": "", "free": "", "free hash": "", "unknown": "DOCUMENT_NOT_FOUND"},
		gqlhttp.DocumentsPrefer: {"id": "", "relay": "", "relay id": "", "hash": "", "text": "", "free": "logged", "free hash": "logged", "unknown": "DOCUMENT_NOT_FOUND"},
		gqlhttp.DocumentsOnly: {
			"id": "", "relay": "", "relay id": "", "hash": "", "text": "",
			"free": "DOCUMENT_NOT_TRUSTED", "free hash": "DOCUMENT_NOT_TRUSTED", "unknown": "DOCUMENT_NOT_TRUSTED",
		},
	} {
		got := map[string]string{}
		for name, body := range requests {
			var log strings.Builder
			h := handler(&shelf{}, func(o *gqlhttp.Options) {
				o.DocumentMode, o.Trusted, o.Log = mode, map[string]string{"k1": known}, slog.New(slog.NewTextHandler(&log, nil))
			})
			got[name] = codes(t, post(t, h, body))
			if strings.Contains(log.String(), "not trusted") && strings.Contains(log.String(), sha(free)) {
				got[name] = "logged"
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", mode, diff)
		}
	}
}

func TestParseManifest(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]map[string]string{
		`{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a","name":"A","type":"query","body":"query A { x }"}]}`: {"a": "query A { x }"},
		`{"a":"query A { x }","b":"{ y }"}`:                                                                {"a": "query A { x }", "b": "{ y }"},
		`{"format":"apollo-persisted-query-manifest","version":2,"operations":[]}`:                         nil,
		`{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"","body":"{ x }"}]}`: nil,
		`{"":"{ x }"}`: nil,
		`{"a":""}`:     nil,
		`{"a":1}`:      nil,
		`{}`:           nil,
		`[]`:           nil,
		``:             nil,
	} {
		got, err := gqlhttp.ParseManifest([]byte(text))
		if (err == nil) != (want != nil) || !maps.Equal(got, want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

// FuzzParseManifest: whatever it is, it is a manifest whose parts are there, or an error.
func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a","body":"{ x }"}]}`))
	f.Add([]byte(`{"a":"{ x }"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if all, err := gqlhttp.ParseManifest(text); err == nil && len(all) == 0 {
			t.Error("an empty manifest")
		}
	})
}
