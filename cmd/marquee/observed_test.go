package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
)

// spans are what a collector was sent.
type spans struct {
	mu  sync.Mutex
	all []*tracepb.Span
}

// ServeHTTP implements http.Handler, as a collector does.
func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		body = unpacked
	}
	text, err := io.ReadAll(body)
	var sent collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(text, &sent) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, resource := range sent.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			s.all = append(s.all, scope.GetSpans()...)
		}
	}
}

// of are the spans of one trace, by name.
func (s *spans) of(trace string) map[string]*tracepb.Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]*tracepb.Span{}
	for _, span := range s.all {
		if hex.EncodeToString(span.GetTraceId()) == trace {
			found[span.GetName()] = span
		}
	}
	return found
}

// journal is a log that is read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

// String is what has been written.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// lines are the log's lines that say message.
func (j *journal) lines(message string) []map[string]any {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []map[string]any
	for line := range strings.Lines(j.text.String()) {
		var parsed map[string]any
		if json.Unmarshal([]byte(line), &parsed) == nil && parsed["msg"] == message {
			all = append(all, parsed)
		}
	}
	return all
}

// serving runs marquee serve, and returns where its API and its admin port are, what it logs, and what stops it.
func serving(t *testing.T, args ...string) (api, admin string, log *journal, stop func()) {
	t.Helper()
	log = &journal{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	args = append([]string{"serve", "--log-format=json", "--log-level=debug", "--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--database-url=" + pgtest.URL(t)}, args...)
	go func() { ended <- run(ctx, args, io.Discard, log) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if code := <-ended; code != exitOK {
			t.Errorf("exit code %d: %s", code, log.text.String())
		}
	})
	t.Cleanup(stop)
	for range 200 {
		if said := log.lines("serving"); len(said) > 0 {
			api, _ = said[0]["listen"].(string)
			admin, _ = said[0]["admin"].(string)
			return "http://" + api, "http://" + admin, log, stop
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("it does not begin to serve")
	return "", "", nil, nil
}

// ask posts an operation.
func ask(t *testing.T, api, body string, header ...string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, api+"/graphql", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

const (
	trustedTrace  = "0af7651916cd43dd8448eb211c80319c"
	strangerTrace = "1bf7651916cd43dd8448eb211c80319c"
)

// TestTraces follows a request from a proxy's span down to the statement, and finds its trace in the log.
func TestTraces(t *testing.T) {
	t.Parallel()
	var sent spans
	collects := httptest.NewServer(&sent)
	defer collects.Close()
	api, _, log, stop := serving(t, "--otlp-endpoint="+collects.URL, "--trace-share=0", "--trusted-proxies=127.0.0.1/32")
	const list = `{"query":"query List { events(first: 1) { nodes { id } } }"}`
	if status, answer := ask(t, api, list, "traceparent", "00-"+trustedTrace+"-b7ad6b7169203331-01"); status != http.StatusOK {
		t.Fatalf("status %d: %s", status, answer)
	}
	ask(t, api, list) // nobody has asked for its trace, and of the others none is
	stop()

	found := sent.of(trustedTrace)
	chain := []string{"POST /graphql", "query", "SELECT"}
	parent := "b7ad6b7169203331"
	for _, name := range chain {
		span := found[name]
		if span == nil {
			t.Fatalf("no span %q in %d", name, len(found))
		}
		if got := hex.EncodeToString(span.GetParentSpanId()); got != parent {
			t.Errorf("%s: its parent is %s, want %s", name, got, parent)
		}
		parent = hex.EncodeToString(span.GetSpanId())
	}
	for _, span := range sent.all {
		if got := hex.EncodeToString(span.GetTraceId()); got != trustedTrace {
			t.Errorf("%s: of the trace %s, which nobody asked for", span.GetName(), got)
		}
	}
	if first := log.lines("request")[0]; first["trace_id"] != trustedTrace || first["request_id"] == nil {
		t.Errorf("no ids in %v", first)
	}
}

// TestTracesOfSyncs: each run is a trace, with what became of it and the statements that it took.
func TestTracesOfSyncs(t *testing.T) {
	t.Parallel()
	var sent spans
	collects := httptest.NewServer(&sent)
	defer collects.Close()
	feed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone" {
			w.WriteHeader(http.StatusGone)
			return
		}
		fmt.Fprintf(w, planList, 1)
	}))
	defer feed.Close()
	dir := t.TempDir()
	for slug, path := range map[string]string{"acme": "/feed", "bravo": "/gone"} {
		write(t, filepath.Join(dir, slug+".yaml"), fmt.Sprintf(
			"slug: %s\nname: %[1]s\nurl: %s%s\nformat: planlist\ntimeZone: Europe/Madrid\ncurrency: EUR\nallowPrivateAddresses: true\n", slug, feed.URL, path))
	}
	log := &journal{}
	run(t.Context(), []string{"sync", "--nice=0", "--log-format=json", "--otlp-endpoint=" + collects.URL, "--providers=" + dir, "--database-url=" + pgtest.URL(t)}, io.Discard, log)

	found := map[string]map[string]*tracepb.Span{} // by provider
	for _, span := range sent.all {
		if span.GetName() == "sync" {
			found[attribute(span, "marquee.provider")] = sent.of(hex.EncodeToString(span.GetTraceId()))
		}
	}
	applied, failed := found["acme"], found["bravo"]
	if applied["sync"] == nil || failed["sync"] == nil {
		t.Fatalf("no span of each run in %d", len(sent.all))
	}
	for _, name := range []string{"fetch", "apply"} {
		if applied[name] == nil || !bytes.Equal(applied[name].GetParentSpanId(), applied["sync"].GetSpanId()) {
			t.Errorf("no span %q in the run's", name)
		}
	}
	if len(applied) < 6 { // with statements
		t.Errorf("%d spans of a run that applied something", len(applied))
	}
	if got := attribute(applied["sync"], "marquee.outcome"); got != "APPLIED" || applied["sync"].GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR {
		t.Errorf("acme: %s, %v", got, applied["sync"].GetStatus())
	}
	if got := attribute(failed["sync"], "error.type"); got == "" || failed["sync"].GetStatus().GetCode() != tracepb.Status_STATUS_CODE_ERROR || failed["apply"] != nil {
		t.Errorf("bravo: error %q, %v", got, failed["sync"].GetStatus())
	}
	for _, line := range log.lines("sync") {
		if line["trace_id"] == nil {
			t.Errorf("no trace in %v", line)
		}
		if took, err := time.ParseDuration(fmt.Sprint(line["took"])); err != nil || took <= 0 {
			t.Errorf("took %v", line["took"]) // a bare number has no unit
		}
	}
}

// attribute is the text of one of a span's; empty if it has none of that name.
func attribute(span *tracepb.Span, name string) string {
	for _, a := range span.GetAttributes() {
		if a.GetKey() == name {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

// TestTracesOfStrangers: who is no proxy of ours does not decide what is traced.
func TestTracesOfStrangers(t *testing.T) {
	t.Parallel()
	var sent spans
	collects := httptest.NewServer(&sent)
	defer collects.Close()
	api, _, _, stop := serving(t, "--otlp-endpoint="+collects.URL, "--trace-share=1")
	ask(t, api, `{"query":"{ providers { slug } }"}`, "traceparent", "00-"+strangerTrace+"-b7ad6b7169203331-01")
	stop()
	if found := sent.of(strangerTrace); len(found) > 0 {
		t.Errorf("%d spans", len(found))
	}
	linked := false
	for _, span := range sent.all {
		for _, link := range span.GetLinks() {
			linked = linked || hex.EncodeToString(link.GetTraceId()) == strangerTrace
		}
	}
	if !linked {
		t.Errorf("%d spans, no link to the stranger's", len(sent.all))
	}
}

// TestMetrics: what operators look at is there, and strangers don't make labels.
func TestMetrics(t *testing.T) {
	t.Parallel()
	trusted := filepath.Join(t.TempDir(), "documents.json")
	if err := os.WriteFile(trusted, []byte(`{"known": "query Listed { providers { slug } }"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	api, admin, _, _ := serving(t, "--trusted-documents="+trusted)
	ask(t, api, `{"documentId":"known"}`)
	ask(t, api, `{"query":"query Stranger { events(first: 1) { nodes { id } } }"}`)
	ask(t, api, `{"query":"query Stranger { events(first: 1) { nodes { id } } }"}`)
	ask(t, api, `{"query":"{ nonsense }"}`)
	response, err := http.Get(admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`marquee_graphql_operations_total{answer="executed",operation="Listed",type="query"} 1`,
		`marquee_graphql_operations_total{answer="refused",operation="other",type="unknown"} 1`,
		`marquee_graphql_errors_total{code="BAD_USER_INPUT"} 1`,
		`marquee_graphql_points_total{operation="other"}`,
		`marquee_graphql_operation_duration_seconds_count{operation="other",type="query"}`,
		`marquee_graphql_cache_requests_total{result="miss"}`,
		`marquee_graphql_cache_age_seconds_count`,
		`marquee_graphql_subscriptions 0`,
		`marquee_database_statement_duration_seconds_count{result="ok",server="primary"}`,
		`marquee_database_up{server="primary"} 1`,
		`marquee_catalog_version{server="primary"}`,
		`marquee_catalog_changed_timestamp_seconds{server="primary"}`,
		`pgxpool_max_conns{server="primary"}`,
		`marquee_http_request_duration_seconds_count{method="POST",route="/graphql",status="200"}`,
	} {
		if !strings.Contains(string(text), "\n"+line) {
			t.Errorf("no line begins with %s", line)
		}
	}
	if strings.Contains(string(text), "Stranger") {
		t.Error("a stranger has made a label")
	}
}

// TestLimitsAreSettings: a limit is what the operator says, and a key has one of its own.
func TestLimitsAreSettings(t *testing.T) {
	t.Parallel()
	keys := filepath.Join(t.TempDir(), "keys.yaml")
	sum := sha256.Sum256([]byte("s3cret"))
	if err := os.WriteFile(keys, []byte("- name: website\n  sha256: "+hex.EncodeToString(sum[:])+"\n  rateLimit: 100:1000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	api, _, _, _ := serving(t, "--max-depth=2", "--max-aliases=1", "--max-directives=1", "--max-fields=5", "--max-tokens=40", "--max-cost=20",
		"--max-page-size=10", "--max-request-kib=1", "--no-introspection", "--rate-limit=1:20", "--api-keys="+keys, "--cache-mib=0")
	for name, tc := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"depth":         {`{"query":"{ providers { runs(first: 1) { nodes { id } } } }"}`, 200, "QUERY_TOO_COMPLEX"},
		"aliases":       {`{"query":"{ a: __typename b: __typename }"}`, 200, "QUERY_TOO_COMPLEX"},
		"directives":    {`{"query":"{ __typename @skip(if: false) providers @skip(if: false) { slug } }"}`, 200, "QUERY_TOO_COMPLEX"},
		"fields":        {`{"query":"{ __typename __typename __typename __typename __typename __typename }"}`, 200, "QUERY_TOO_COMPLEX"},
		"tokens":        {`{"query":"{` + strings.Repeat(" __typename", 40) + `}"}`, 200, "at most 40 are allowed"},
		"cost":          {`{"query":"{ a: events(first: 10) { nodes { id offers { name } } } }"}`, 200, "QUERY_TOO_COMPLEX"},
		"page size":     {`{"query":"{ events(first: 11) { totalCount } }"}`, 200, "want 1 to 10"},
		"body":          {`{"query":"{ __typename }` + strings.Repeat(" ", 1024) + `"}`, 413, "larger than 1 KiB"},
		"introspection": {`{"query":"{ __schema { description } }"}`, 200, "INTROSPECTION_DISABLED"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, answer := ask(t, api, tc.body); status != tc.status || !strings.Contains(answer, tc.says) {
				t.Errorf("status %d: %s, want %d and %s", status, answer, tc.status, tc.says)
			}
		})
	}
	const cheap = `{"query":"{ __typename }"}`
	limited := 0
	for range 40 {
		if status, _ := ask(t, api, cheap); status == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited == 0 || limited == 40 {
		t.Errorf("%d of 40 were too much", limited)
	}
	if status, answer := ask(t, api, cheap, "X-Api-Key", "s3cret"); status != http.StatusOK {
		t.Errorf("with a key: status %d, %s", status, answer)
	}
	if status, answer := ask(t, api, cheap, "X-Api-Key", "wrong"); status != http.StatusUnauthorized || !strings.Contains(answer, "UNAUTHENTICATED") {
		t.Errorf("with a wrong key: status %d, %s", status, answer)
	}
}
