package gqlhttp

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
)

// DocumentMode says which operations are answered.
type DocumentMode string

// The modes. DocumentsOpen is the default.
const (
	DocumentsOpen   DocumentMode = "open"   // all, by text or by id
	DocumentsPrefer DocumentMode = "prefer" // all; those that are not trusted are logged now and then: they are what DocumentsOnly would refuse
	DocumentsOnly   DocumentMode = "only"   // trusted ones alone
)

// Codes of errors about documents.
const (
	codePersistedQueryNotFound catalog.Code = "PERSISTED_QUERY_NOT_FOUND" // Apollo's: clients send the text then
	codeDocumentNotFound       catalog.Code = "DOCUMENT_NOT_FOUND"
	codeDocumentNotTrusted     catalog.Code = "DOCUMENT_NOT_TRUSTED"
)

// maxPersistedBytes bounds the texts that are kept for automatic persisted queries.
const maxPersistedBytes = 16 << 20

// documents find texts by ids: those of trusted documents, from the operator's manifest, and those of automatic persisted queries, which
// clients have sent with their hash.
type documents struct {
	mode    DocumentMode
	trusted map[string]string   // texts by id
	texts   map[string]struct{} // the same texts
	seen    *otter.Cache[string, string]
	log     *slog.Logger
	now     rate.Sometimes
}

func newDocuments(o Options) *documents {
	d := &documents{
		mode: cmp.Or(o.DocumentMode, DocumentsOpen), trusted: o.Trusted, texts: make(map[string]struct{}, len(o.Trusted)), log: o.Log,
		seen: otter.Must(&otter.Options[string, string]{
			MaximumWeight: maxPersistedBytes,
			Weigher:       func(hash, text string) uint32 { return uint32(len(hash) + len(text) + 100) },
		}),
		now: rate.Sometimes{First: 20, Interval: time.Minute},
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	for _, text := range o.Trusted {
		d.texts[text] = struct{}{}
	}
	return d
}

// request finds the text of an operation, or says why it is not answered. Clients send the text, or name it by documentId (GraphQL over
// HTTP, appendix A), by id or doc_id (Relay), or by the hash of automatic persisted queries (Apollo).
func (d *documents) request(ctx context.Context, e envelope) (graph.Request, *refusal) {
	hash := e.Extensions.persisted()
	id := cmp.Or(e.DocumentID, e.ID, e.DocID, hash)
	text, trusted := d.trusted[id]
	if !trusted {
		text = e.Query
		_, trusted = d.texts[text]
	}
	var fault *refusal
	switch {
	case trusted:
	case d.mode == DocumentsOnly:
		fault = refused(http.StatusForbidden, codeDocumentNotTrusted, "", "only operations that the operator knows are answered here")
	case hash != "" && id == hash:
		text, fault = d.persisted(hash, text)
	case id != "":
		fault = refused(http.StatusBadRequest, codeDocumentNotFound, "documentId", "documentId: no document of this id is known here")
	case text == "":
		fault = refused(http.StatusBadRequest, catalog.CodeBadUserInput, "query", "query is missing: want a GraphQL document")
	}
	if fault != nil {
		return graph.Request{}, fault
	}
	if !trusted && d.mode == DocumentsPrefer {
		d.now.Do(func() {
			d.log.LogAttrs(ctx, slog.LevelWarn, "an operation that is not trusted", slog.String("operation", e.OperationName), slog.String("sha256", hashOf(text)))
		})
	}
	return graph.Request{Query: text, OperationName: e.OperationName, Variables: e.Variables, Extensions: e.Extensions}, nil
}

// persisted is the text of a hash. If the client sends the text with the hash, it is kept for the next time.
func (d *documents) persisted(hash, text string) (string, *refusal) {
	if text == "" {
		if known, ok := d.seen.GetIfPresent(hash); ok {
			return known, nil
		}
		return "", refused(http.StatusOK, codePersistedQueryNotFound, "", "PersistedQueryNotFound") // the text that clients look for
	}
	if hashOf(text) != hash {
		return "", refused(http.StatusBadRequest, catalog.CodeBadUserInput, "extensions.persistedQuery.sha256Hash", "extensions.persistedQuery.sha256Hash: not the hash of the query")
	}
	d.seen.Set(hash, text)
	return text, nil
}

func refused(status int, code catalog.Code, argument, message string) *refusal {
	return &refusal{status, &catalog.Error{Code: code, Argument: argument, Message: message}}
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// extensions are what a client says beside its operation.
type extensions map[string]any

// persisted is the hash of https://www.apollographql.com/docs/apollo-server/performance/apq; empty without one.
func (e extensions) persisted() string {
	given, _ := e["persistedQuery"].(map[string]any)
	if version, ok := given["version"].(json.Number); !ok || version != "1" {
		return ""
	}
	hash, _ := given["sha256Hash"].(string)
	return hash
}

// maxManifestDocuments bounds a manifest.
const maxManifestDocuments = 100_000

// ParseManifest reads a manifest of trusted documents, in Apollo's form or as one JSON object of ids and texts (graphql-codegen's client
// preset, Relay's compiler). It returns the texts by id: 1 to 100,000, none of them empty.
func ParseManifest(text []byte) (map[string]string, error) {
	var apollo struct {
		Format     string `json:"format"`
		Version    int    `json:"version"`
		Operations []struct {
			ID, Body string
		} `json:"operations"`
	}
	all := map[string]string{}
	if err := json.Unmarshal(text, &apollo); err == nil && apollo.Format != "" {
		if apollo.Format != "apollo-persisted-query-manifest" || apollo.Version != 1 {
			return nil, fmt.Errorf("a manifest of format %q, version %d: want apollo-persisted-query-manifest, version 1", apollo.Format, apollo.Version)
		}
		for _, o := range apollo.Operations {
			all[o.ID] = o.Body
		}
	} else if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("no manifest of documents: want an object of ids and texts, or Apollo's form: %w", err)
	}
	if len(all) == 0 {
		return nil, errors.New("a manifest without documents")
	}
	if len(all) > maxManifestDocuments {
		return nil, fmt.Errorf("%d documents in a manifest, at most %d are allowed", len(all), maxManifestDocuments)
	}
	for id, text := range all {
		if id == "" || text == "" { // an empty id would be that of every request that names no document
			return nil, fmt.Errorf("document %q of a manifest: want an id and a text", id)
		}
	}
	return all, nil
}
