package gqlhttp

import (
	"net/http"
	"strconv"

	"github.com/aledotdev/marquee/graph"
)

// response is an answer that is ready to be sent.
type response struct {
	body    []byte
	status  int  // 0: by the media type
	refused bool // nothing was executed
	failed  bool // it holds errors
}

func newResponse(a *graph.Answer) *response {
	return &response{body: a.Body, refused: a.Refused, failed: a.Failed}
}

// write sends the response. The status is that of GraphQL over HTTP, 6.4: in the old media type, a well-formed
// request is answered with 200, whatever comes of it.
func (a *response) write(w http.ResponseWriter, r *http.Request, m media) {
	h := w.Header()
	h.Set("Content-Type", m.String())
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept, Accept-Encoding")
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.statusIn(m))
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // a client that has left is no error of ours
	}
}

func (a *response) statusIn(m media) int {
	switch {
	case a.status != 0:
		return a.status
	case a.refused && m == mediaResponse:
		return http.StatusBadRequest
	default:
		return http.StatusOK
	}
}
