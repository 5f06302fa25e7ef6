package simulator_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/simulator"
)

// reply is what a client has of an answer.
type reply struct {
	status int
	header http.Header
	body   []byte
	err    error // of reading the body
}

// get asks over a real connection.
func get(t *testing.T, server *httptest.Server, method, path string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true // on a connection that it has used before, Go's client asks again by itself
	response, err := server.Client().Do(request)
	if err != nil {
		return reply{err: err}
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return reply{status: response.StatusCode, header: response.Header, body: body, err: err}
}

func serve(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

// clock is a clock that stands still until it is set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

func fixed() *clock { return &clock{now: time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)} }

func TestFetchMovesAndPeekDoesNot(t *testing.T) {
	t.Parallel()
	server := serve(t, simulator.New(simulator.Options{Clock: fixed().Now}))
	peeked := get(t, server, http.MethodGet, "/api/events?peek=1")
	if again := get(t, server, http.MethodGet, "/api/events?peek=1"); !bytes.Equal(peeked.body, again.body) {
		t.Error("a peek moved the world")
	}
	if head := get(t, server, http.MethodHead, "/api/events"); head.status != http.StatusOK || len(head.body) > 0 {
		t.Errorf("HEAD: %d with %d bytes", head.status, len(head.body))
	}
	first := get(t, server, http.MethodGet, "/api/events")
	if !bytes.Equal(peeked.body, first.body) {
		t.Error("the fetch gives something else than the peek before it")
	}
	if first.status != http.StatusOK || first.header.Get("Content-Type") != "application/xml; charset=utf-8" {
		t.Errorf("status %d, header %v", first.status, first.header)
	}
	if second := get(t, server, http.MethodGet, "/api/events"); bytes.Equal(first.body, second.body) {
		t.Error("a fetch did not move the world")
	}
	parse(t, first.body)
}

func TestGenerationByRequest(t *testing.T) {
	t.Parallel()
	server := serve(t, simulator.New(simulator.Options{Clock: fixed().Now, Generation: simulator.EventList}))
	for path, root := range map[string]string{
		"/api/events":                            "eventList",
		"/api/events?generation=planList":        "planList",
		"/api/events?generation=eventDate":       "eventList",
		"/api/events?peek=1&generation=planList": "planList",
	} {
		if got := parse(t, get(t, server, http.MethodGet, path).body).XMLName.Local; got != root {
			t.Errorf("%s: root %s, want %s", path, got, root)
		}
	}
	if bad := get(t, server, http.MethodGet, "/api/events?generation=x"); bad.status != http.StatusBadRequest {
		t.Errorf("unknown generation: %d, want 400", bad.status)
	}
}

func TestPageAndOtherPaths(t *testing.T) {
	t.Parallel()
	server := serve(t, simulator.New(simulator.Options{Clock: fixed().Now}))
	page := get(t, server, http.MethodGet, "/")
	if page.status != http.StatusOK || !bytes.Contains(page.body, []byte("/api/events?peek=1")) {
		t.Errorf("page: %d\n%s", page.status, page.body)
	}
	if other := get(t, server, http.MethodGet, "/nothing"); other.status != http.StatusNotFound {
		t.Errorf("another path: %d, want 404", other.status)
	}
	if post := get(t, server, http.MethodPost, "/api/events"); post.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d, want 405", post.status)
	}
}

// Today is that of the venues.
func TestTimeZoneDecidesToday(t *testing.T) {
	t.Parallel()
	late := &clock{now: time.Date(2026, 4, 1, 23, 30, 0, 0, time.UTC)} // already 2 April in Madrid
	body := func(zone *time.Location) []byte {
		return get(t, serve(t, simulator.New(simulator.Options{Clock: late.Now, TimeZone: zone})), http.MethodGet, "/api/events").body
	}
	madrid := time.FixedZone("Europe/Madrid", 2*60*60)
	today, tick := simulator.DayOf(late.Now().In(madrid)), late.Now().Unix()/60
	if want := render(t, simulator.NewWorld(0).At(today, tick), simulator.PlanList); !bytes.Equal(want, body(madrid)) {
		t.Error("Madrid's world is not that of 2 April")
	}
	if bytes.Equal(body(time.UTC), body(madrid)) {
		t.Error("the time zone makes no difference")
	}
}

// A provider that has run for three days and one that has just started serve the same world, and a provider that was
// asked more often than once a minute comes close.
func TestRestart(t *testing.T) {
	t.Parallel()
	monday := time.Date(2026, 10, 23, 9, 0, 0, 0, time.UTC) // clocks change in between
	thursday := monday.AddDate(0, 0, 3)
	fetch := func(server *httptest.Server, times int) []byte {
		var last reply
		for range times {
			last = get(t, server, http.MethodGet, "/api/events")
		}
		return last.body
	}
	fresh := fetch(serve(t, simulator.New(simulator.Options{Clock: func() time.Time { return thursday }})), 1)

	c := &clock{now: monday}
	old := serve(t, simulator.New(simulator.Options{Clock: c.Now}))
	fetch(old, 5)
	c.Set(thursday)
	if !bytes.Equal(fresh, fetch(old, 1)) {
		t.Error("the old provider's world differs from the fresh one's")
	}

	busy := parse(t, fetch(old, 200))
	there := map[[2]string]bool{}
	for _, s := range busy.Output.Series {
		for _, e := range s.Events {
			there[[2]string{s.PlanID, e.PlanID}] = true
		}
	}
	missing, all := 0, 0
	for _, s := range parse(t, fresh).Output.Series {
		for _, e := range s.Events {
			all++
			if !there[[2]string{s.PlanID, e.PlanID}] {
				missing++
			}
		}
	}
	if missing > 10 || all < 60 {
		t.Errorf("%d of %d events of the fresh world are not in the busy one", missing, all)
	}
}

func TestConcurrentFetches(t *testing.T) {
	t.Parallel()
	h := simulator.New(simulator.Options{Clock: fixed().Now})
	var wg sync.WaitGroup
	bodies := make([]string, 16)
	for i := range bodies {
		wg.Go(func() {
			recorder := httptest.NewRecorder()
			h.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/api/events", http.NoBody))
			bodies[i] = recorder.Body.String()
		})
	}
	wg.Wait()
	different := map[string]bool{}
	for _, b := range bodies {
		different[b] = true
	}
	if len(different) != len(bodies) {
		t.Errorf("%d different answers to %d fetches", len(different), len(bodies))
	}
}
