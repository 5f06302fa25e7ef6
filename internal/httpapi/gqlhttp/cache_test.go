package gqlhttp_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/httpapi/gqlhttp"
)

// world is the state of the data, and the time, as the test sets them.
type world struct {
	mu      sync.Mutex
	stamp   catalog.Stamp
	unknown bool          // Current knows no state
	moved   bool          // reads don't come from where they were bound to
	read    catalog.Stamp // what reads are of, if another
	now     time.Time
}

func newWorld() *world {
	return &world{stamp: catalog.Stamp{Server: "primary", Generation: 1, Version: 7}, now: time.Date(2021, 6, 30, 18, 0, 0, 0, time.UTC)}
}

func (w *world) Current() (catalog.Stamp, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stamp, !w.unknown
}

func (w *world) Pin(ctx context.Context) (context.Context, func() (catalog.Stamp, bool)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	stamp := w.stamp
	if w.read != (catalog.Stamp{}) {
		stamp = w.read
	}
	return ctx, func() (catalog.Stamp, bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return stamp, !w.moved
	}
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) change(f func(w *world)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(w)
}

func cached(s *shelf, w *world) *gqlhttp.Handler {
	return handler(s, func(o *gqlhttp.Options) { o.Snapshots, o.CacheBytes, o.Clock = w, 1<<20, w.Now })
}

func TestTheSameQuestionIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	h := cached(s, newWorld())
	for _, body := range []string{
		good, good,
		`{"query":"query Other  { providers {\n slug } }","operationName":"Other","variables":{}}`,
		`{"variables":null,"query":"{providers{slug}}"}`,
	} {
		if w := post(t, h, body); w.Body.String() != answered {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
	}
	for range 2 {
		if w := get(t, h, "query", "{ providers { slug } }"); w.Body.String() != answered {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
	}
	if n := s.asked.Load(); n != 1 {
		t.Errorf("the catalog was asked %d times", n)
	}
	if w := post(t, h, `{"query":"{ providers { name } }"}`); w.Body.String() != `{"data":{"providers":[{"name":"Acme"}]},"extensions":{"cost":{"requested":20,"limit":5000,"remaining":4980}}}` {
		t.Errorf("another question: %s", w.Body)
	}
	// One text that is a body as well as a query string is two questions.
	both := `{"query":"{ providers { slug } }","x":"&query={providers{name}}&y="}`
	if w := post(t, h, both); w.Body.String() != answered {
		t.Errorf("as a body: %s", w.Body)
	}
	if w := send(t, h, "GET", "/graphql?"+strings.ReplaceAll(both, " ", "+"), nil); strings.Contains(w.Body.String(), "slug") {
		t.Errorf("as a query string: %s", w.Body)
	}
}

func TestAnAnswerCountsForItsState(t *testing.T) {
	t.Parallel()
	s, w := &shelf{}, newWorld()
	h := cached(s, w)
	asked := func(want int32, when string) {
		t.Helper()
		for range 2 {
			post(t, h, good)
			get(t, h, "query", "{ providers { slug } }")
		}
		if n := s.asked.Swap(0); n != want {
			t.Errorf("%s: the catalog was asked %d times, want %d", when, n, want)
		}
	}
	asked(1, "at first")
	asked(0, "once more")
	w.change(func(w *world) { w.stamp.Version++ })
	asked(1, "a new version")
	w.change(func(w *world) { w.stamp = catalog.Stamp{Server: "replica", Generation: 1, Version: 8} })
	asked(1, "another server of the same version")
	w.change(func(w *world) { w.stamp = catalog.Stamp{Server: "primary", Generation: 2, Version: 8} })
	asked(1, "perhaps another server of the same name")
	w.change(func(w *world) { w.now = w.now.Add(29 * time.Second) })
	asked(0, "within half a minute")
	w.change(func(w *world) { w.now = w.now.Add(2 * time.Second) })
	asked(1, "after it")
	w.change(func(w *world) { w.unknown = true })
	asked(4, "nobody knows the state")
	w.change(func(w *world) { w.unknown = false })
	asked(0, "it is known again, and the same")
	w.change(func(w *world) { w.stamp.Version++; w.moved = true })
	asked(4, "reads came from elsewhere")
	w.change(func(w *world) { w.moved, w.read = false, w.stamp; w.read.Version-- })
	asked(4, "reads lag behind")
}

func TestFailuresAreNotKept(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	h := cached(s, newWorld())
	for name, body := range map[string]string{
		"a failure":  `{"query":"{ provider(slug: \"broken\") { id } }"}`,
		"in part":    `{"query":"{ providers { id } provider(slug: \"broken\") { id } }"}`,
		"not parsed": `{"query":"{"}`,
	} {
		s.asked.Store(0)
		first := post(t, h, body)
		once := s.asked.Load()
		second := post(t, h, body)
		if first.Body.String() != second.Body.String() || s.asked.Load() != 2*once || second.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: asked %d times, then %d: %s", name, once, s.asked.Load()-once, second.Body)
		}
	}
}

// TestOneAnswerForMany: who asks for what is being made waits for it, and it is made also when the one who asked
// first has left.
func TestOneAnswerForMany(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	s := &shelf{providers: func(ctx context.Context) ([]*catalog.Provider, error) {
		close(begun) // a second time would panic
		<-finish
		return nil, ctx.Err()
	}}
	h := cached(s, newWorld())
	ctx, leave := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		r := httptest.NewRequestWithContext(ctx, "POST", "/graphql", strings.NewReader(good))
		r.Header.Set("Content-Type", jsonType)
		h.ServeHTTP(httptest.NewRecorder(), r)
	})
	<-begun
	leave()
	for i := range 20 {
		all.Go(func() {
			body := fmt.Sprintf(`{"query":"query N%d { providers { slug } }"}`, i)
			if w := post(t, h, body); w.Body.String() != `{"data":{"providers":[]},"extensions":{"cost":{"requested":20,"limit":5000,"remaining":4980}}}` {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		})
	}
	close(finish)
	all.Wait()
}

func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	s := &shelf{providers: func(context.Context) ([]*catalog.Provider, error) {
		return []*catalog.Provider{{Slug: strings.Repeat("acme ", 1000)}}, nil
	}}
	target := "/graphql?" + query("query", "{ providers { slug } }")
	for name, h := range map[string]http.Handler{"kept": cached(s, newWorld()), "not kept": handler(s)} {
		tags := map[string]bool{}
		for _, accept := range []string{jsonType, responseType} {
			for _, coding := range []string{"", "gzip", "br, gzip;q=0.5", "gzip;q=0, *"} {
				w := send(t, h, "GET", target, nil, "Accept", accept, "Accept-Encoding", coding)
				packed := w.Header().Get("Content-Encoding") == "gzip"
				if packed != strings.HasSuffix(coding, "gzip") && coding != "br, gzip;q=0.5" {
					t.Errorf("%s, %q: %v", name, coding, w.Header())
				}
				var body io.Reader = w.Body
				if packed {
					var err error
					if body, err = gzip.NewReader(w.Body); err != nil {
						t.Fatal(err)
					}
				}
				if text, err := io.ReadAll(body); err != nil || len(text) < 5000 {
					t.Errorf("%s, %q: %v, %d bytes", name, coding, err, len(text))
				}
				tag := w.Header().Get("ETag")
				tags[tag] = true
				if w.Header().Get("Cache-Control") != "public, max-age=15, stale-while-revalidate=15" || w.Header().Get("Vary") != "Accept, Accept-Encoding" {
					t.Errorf("%s: %v", name, w.Header())
				}
				for given, status := range map[string]int{tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200, "": 200, strings.Trim(tag, `"`): 200} {
					for _, method := range []string{"GET", "HEAD"} {
						w := send(t, h, method, target, nil, "Accept", accept, "Accept-Encoding", coding, "If-None-Match", given)
						if w.Code != status || w.Header().Get("ETag") != tag || status == 304 && (w.Body.Len() > 0 || w.Header().Get("Content-Type") != "") {
							t.Errorf("%s, %s, If-None-Match %s: status %d, %v", name, method, given, w.Code, w.Header())
						}
					}
				}
			}
		}
		if len(tags) != 4 {
			t.Errorf("%s: tags %v: want one a representation", name, tags)
		}
	}
	w := post(t, handler(s), good, "If-None-Match", "*")
	if w.Code != 200 || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("ETag") != "" {
		t.Errorf("POST: status %d, %v", w.Code, w.Header())
	}
}
