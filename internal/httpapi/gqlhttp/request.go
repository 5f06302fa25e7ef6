package gqlhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/aledotdev/marquee/internal/catalog"
)

// maxRequest bounds a request's body, and its query string, in bytes, by default.
const maxRequest = 64 << 10

// maxDiscard is how much of a body that is too large is read all the same, in bytes: most clients read
// the answer only after they have sent everything.
const maxDiscard = 4 << 20

const allowed = "GET, HEAD, OPTIONS, POST"

// input is a request as it came. It comes from a pool, and goes back to it.
type input struct {
	post    bool
	query   string           // the query string of a GET
	body    bytes.Buffer     // the body of a POST
	limited io.LimitedReader // what the body is read from
	parsed  bytes.Reader     // what the body is parsed from
}

// text is the request as it came: its body or its query string.
func (in *input) text() string {
	if in.post {
		return in.body.String()
	}
	return in.query
}

// is says whether the request is this text.
func (in *input) is(text string) bool {
	if in.post {
		body := in.body.Bytes()
		return string(body) == text // the compiler makes no copy for a comparison
	}
	return in.query == text
}

// read takes a request in, without looking at what it asks.
func (h *Handler) read(w http.ResponseWriter, r *http.Request, in *input) *refusal {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if len(r.URL.RawQuery) > h.maxRequest {
			return h.tooLarge(http.StatusRequestURITooLong)
		}
		in.query = r.URL.RawQuery
		return nil
	case http.MethodPost:
		if !isJSON(r.Header.Get("Content-Type")) {
			return &refusal{http.StatusUnsupportedMediaType, badRequest("want a body of Content-Type application/json")}
		}
		if r.Header.Get("Content-Encoding") != "" {
			return &refusal{http.StatusUnsupportedMediaType, badRequest("want a body without Content-Encoding")}
		}
		return h.readBody(r, in)
	default:
		w.Header().Set("Allow", allowed)
		return &refusal{http.StatusMethodNotAllowed, badRequest("only GET and POST are allowed here")}
	}
}

func (h *Handler) readBody(r *http.Request, in *input) *refusal {
	in.post = true
	in.limited = io.LimitedReader{R: r.Body, N: int64(h.maxRequest) + 1}
	_, err := in.body.ReadFrom(&in.limited)
	switch {
	case err != nil:
		return &refusal{http.StatusBadRequest, badRequest("the request's body could not be read")}
	case in.body.Len() > h.maxRequest:
		if r.Header.Get("Expect") == "" { // a client that asked first has not begun to send
			_, _ = io.CopyN(io.Discard, r.Body, maxDiscard)
		}
		return h.tooLarge(http.StatusRequestEntityTooLarge)
	}
	return nil
}

// input takes an input from the pool; release gives it back.
func (h *Handler) input() *input {
	in, _ := h.inputs.Get().(*input)
	return in
}

func (h *Handler) release(in *input) {
	in.body.Reset()
	in.post, in.query, in.limited, in.parsed = false, "", io.LimitedReader{}, bytes.Reader{}
	h.inputs.Put(in)
}

func (h *Handler) tooLarge(status int) *refusal {
	return &refusal{status, &catalog.Error{Code: catalog.CodeBadUserInput, Argument: "query", Message: fmt.Sprintf("the request is larger than %d KiB", h.maxRequest>>10)}}
}

func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	kind, parameters, err := mime.ParseMediaType(contentType)
	charset, given := parameters["charset"]
	return err == nil && kind == "application/json" && (!given || isUTF8(charset))
}

// envelope is the JSON of a request (GraphQL over HTTP, 5.1). A known document may be named instead of sending its text in query.
type envelope struct {
	Query         string         `json:"query"`
	DocumentID    string         `json:"documentId"`
	ID            string         `json:"id"`
	DocID         string         `json:"doc_id"`
	OperationName string         `json:"operationName"`
	Variables     map[string]any `json:"variables"`
	Extensions    extensions     `json:"extensions"`
}

// parse reads the parameters of a request.
func (in *input) parse() (e envelope, fault *refusal) {
	if in.post {
		in.parsed.Reset(in.body.Bytes())
		if decode(&in.parsed, &e) != nil {
			return e, &refusal{http.StatusBadRequest, badRequest(`the body is no GraphQL request: want {"query": "…", "variables": {…}}`)}
		}
	} else if message := e.fromQuery(in.query); message != "" {
		return e, &refusal{http.StatusBadRequest, badRequest(message)}
	}
	return e, nil
}

// fromQuery reads the query string of a GET, and returns what is wrong with it; empty if nothing is.
func (e *envelope) fromQuery(raw string) string {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return "the query string is malformed: want query=…&variables=…, percent-encoded"
	}
	e.Query, e.OperationName = values.Get("query"), values.Get("operationName")
	e.DocumentID, e.ID, e.DocID = values.Get("documentId"), values.Get("id"), values.Get("doc_id")
	for name, object := range map[string]*map[string]any{"variables": &e.Variables, "extensions": (*map[string]any)(&e.Extensions)} {
		if text := values.Get(name); text != "" && decode(strings.NewReader(text), object) != nil {
			return name + ": want a JSON object"
		}
	}
	return ""
}

// decode reads one JSON value and nothing after it, with exact numbers.
func decode(text io.Reader, into any) error {
	d := json.NewDecoder(text)
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}
