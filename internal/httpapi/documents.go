package httpapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the OpenAPI document
	"encoding/base64"
	"net/http"
	"time"
)

//go:embed openapi.json
var openAPI []byte

// document serves content that does not change while the program runs. Clients may keep it, but ask each time, by its
// ETag, whether it is still current.
func document(contentType string, content []byte) http.Handler {
	sum := sha256.Sum256(content)
	etag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
}
