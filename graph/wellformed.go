package graph

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/aledotdev/marquee/internal/catalog"
)

// envelope is the form of a request (GraphQL over HTTP, 5.1).
type envelope struct {
	Query         string                     `json:"query"`
	OperationName string                     `json:"operationName"`
	Variables     map[string]json.RawMessage `json:"variables"`
	Extensions    map[string]json.RawMessage `json:"extensions"`
}

// wellFormed answers requests that hold no GraphQL request. gqlgen's own transports answer them without
// a code, and repeat what was sent.
func wellFormed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			r.Header.Del("Upgrade") // Java's client offers h2c with every request
		}
		switch r.Method {
		case http.MethodOptions:
		case http.MethodGet:
			if message := checkQuery(r.URL.RawQuery); message != "" {
				refuse(w, http.StatusBadRequest, message)
				return
			}
		case http.MethodPost:
			if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
				refuse(w, http.StatusUnsupportedMediaType, "want a body of Content-Type application/json")
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				refuse(w, http.StatusBadRequest, "the body could not be read")
				return
			}
			if json.Unmarshal(body, &envelope{}) != nil {
				refuse(w, http.StatusBadRequest, `the body is no GraphQL request: want {"query": "…", "variables": {…}}`)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
		default:
			w.Header().Set("Allow", "GET, OPTIONS, POST")
			refuse(w, http.StatusMethodNotAllowed, "only GET and POST are allowed here")
			return
		}
		if r.Header.Get("Upgrade") != "" {
			refuse(w, http.StatusBadRequest, "there are no subscriptions here")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// checkQuery says what is wrong with the query string of a GET; empty if nothing is.
func checkQuery(raw string) string {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return "the query string is malformed: want query=…&variables=…, percent-encoded"
	}
	for _, name := range []string{"variables", "extensions"} {
		var object map[string]json.RawMessage
		if text := values.Get(name); text != "" && json.Unmarshal([]byte(text), &object) != nil {
			return name + ": want a JSON object"
		}
	}
	return ""
}

func refuse(w http.ResponseWriter, status int, message string) {
	answer, err := json.Marshal(map[string]any{"errors": gqlerror.List{{Message: message, Extensions: extensions(catalog.CodeBadUserInput, "")}}})
	if err != nil {
		panic(err) // it is all strings
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(answer) // a client that has left is no error of ours
}
