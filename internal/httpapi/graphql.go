package httpapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/aledotdev/marquee/internal/catalog"
)

const graphQLPath = "/graphql"

// maxDiscard is how much of a body that is too large is read all the same, in bytes: most clients look
// for an answer only when they have sent everything.
const maxDiscard = 4 << 20

// graphql passes a request of bounded size on, with a bounded time to answer it.
func (s *Server) graphql(w http.ResponseWriter, r *http.Request) {
	if len(r.URL.RawQuery) > maxBody {
		writeFailure(w, r, tooLarge(http.StatusRequestURITooLong))
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		s.fail(w, r, errors.Join(badInput("query", "the request's body could not be read"), err))
		return
	}
	if len(body) > maxBody {
		if r.Header.Get("Expect") == "" { // a client that asked first has not begun to send
			_, _ = io.CopyN(io.Discard, r.Body, maxDiscard)
		}
		writeFailure(w, r, tooLarge(http.StatusRequestEntityTooLarge))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.timeouts.GraphQL)
	defer cancel()
	r = r.WithContext(ctx)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	s.graphQL.ServeHTTP(w, r)
}

func tooLarge(status int) failure {
	return failure{status, string(catalog.CodeBadUserInput), "query", "the request is larger than 64 KiB"}
}
