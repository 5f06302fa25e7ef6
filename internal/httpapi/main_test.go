package httpapi_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/httpapi"
)

// TestMain looks for goroutines that are left over. Those of limiters end only when the garbage collector has found that nobody uses them.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/maypok86/otter/v2.periodicCleanUp[...]"))
}

var errDatabase = errors.New(`relation "events" does not exist`)

// fake is a catalog. The zero value finds nothing.
type fake struct {
	search func(ctx context.Context, w catalog.Window, yield func(catalog.Listing) error) error

	version   int64
	asked     func(catalog.EventQuery)
	export    []catalog.Exported
	exportErr error
	ping      func(ctx context.Context) error
}

func (f *fake) Search(ctx context.Context, w catalog.Window, yield func(catalog.Listing) error) error {
	if f.search == nil {
		return nil
	}
	return f.search(ctx, w, yield)
}

func (f *fake) Ping(ctx context.Context) error {
	if f.ping == nil {
		return nil
	}
	return f.ping(ctx)
}

func found(events ...catalog.Listing) *fake {
	return &fake{search: func(_ context.Context, _ catalog.Window, yield func(catalog.Listing) error) error {
		for _, e := range events {
			if err := yield(e); err != nil {
				return err
			}
		}
		return nil
	}}
}

func failing(context.Context, catalog.Window, func(catalog.Listing) error) error { return errDatabase }

func pinging(context.Context) error { return errDatabase }

// journal is a log to look into.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) logger(level slog.Level) *slog.Logger {
	return slog.New(httpapi.RequestLog(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: level})))
}

// options are a server's whose GraphQL and pages say who they are.
func options(c httpapi.Catalog) httpapi.Options {
	says := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(text)) })
	}
	return httpapi.Options{
		Catalog: c,
		GraphQL: says(`{"data":{}}`),
		Pages: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				http.NotFound(w, r)
				return
			}
			w.Write([]byte("pages"))
		}),
		SDL:     "type Query { hello: String }\n",
		Version: httpapi.Version{Version: "1.2.3", Commit: "abc", Go: "go1.26"},
	}
}

func do(t testing.TB, h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// start serves h on loopback, the way that clients meet it.
func start(t *testing.T, h http.Handler, set ...func(*http.Server)) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	for _, set := range set {
		set(server.Config)
	}
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func local(t testing.TB, s string) event.LocalDateTime {
	t.Helper()
	l, err := event.ParseLocal(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func price(t testing.TB, s string) *event.Decimal {
	t.Helper()
	d, err := event.ParseDecimal(s)
	if err != nil {
		t.Fatal(err)
	}
	return &d
}

func show(t testing.TB, title string) catalog.Listing {
	t.Helper()
	return catalog.Listing{
		ID:    event.Key{Provider: "acme", Event: title}.ID(),
		Title: title,
		Start: local(t, "2021-06-30T21:00:00"), End: local(t, "2021-06-30T22:30:00"),
		MinPrice: price(t, "15.50"), MaxPrice: price(t, "30"),
	}
}

// clock is one that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
