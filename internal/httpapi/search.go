package httpapi

import (
	"context"
	"net/http"

	"github.com/aledotdev/marquee/internal/catalog"
)

// search answers GET /search. For HEAD it checks the arguments, and does not search.
func (s *Server) search(w http.ResponseWriter, r *http.Request) {
	window, err := parseWindow(r.URL.RawQuery)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	if r.Method == http.MethodHead {
		return
	}

	out := &listings{stream: newStream(w, s.timeouts)}
	out.buffer = append(out.buffer, `{"data":{"events":[`...)
	ctx, cancel := context.WithTimeout(r.Context(), s.timeouts.Search)
	defer cancel()
	if err = s.catalog.Search(ctx, window, out.listing); err == nil {
		err = out.end()
	}
	s.streamed(r, out.stream, err)
}

// listings writes the answer of a search.
type listings struct {
	*stream
	any bool // one has been written
}

func (l *listings) listing(e catalog.Listing) error {
	if l.any {
		l.buffer = append(l.buffer, ',')
	}
	l.any = true
	l.buffer = appendListing(l.buffer, &e)
	return l.passOn()
}

func (l *listings) end() error {
	l.buffer = append(l.buffer, `]},"error":null}`...)
	return l.flush()
}
