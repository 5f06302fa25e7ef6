package gqlhttp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/httpapi/gqlhttp"
)

const (
	good     = `{"query":"{ providers { slug } }"}`
	answered = `{"data":{"providers":[{"slug":"acme"}]},"extensions":{"cost":{"requested":20,"limit":5000,"remaining":4980}}}`
)

// TestStatus: what is answered, and with which status in which media type.
func TestStatus(t *testing.T) {
	t.Parallel()
	h := handler(&shelf{})
	for name, tc := range map[string]struct {
		body          string
		inJSON, inOwn int
		codes         string
		data          bool // there is a data entry
	}{
		"good":                   {body: good, inJSON: 200, inOwn: 200, data: true},
		"part fails":             {body: `{"query":"{ a: provider(slug: \"broken\") { id } b: provider(slug: \"b\") { id } }"}`, inJSON: 200, inOwn: 200, codes: "INTERNAL", data: true},
		"not parsed":             {body: `{"query":"{"}`, inJSON: 200, inOwn: 400, codes: "BAD_USER_INPUT"},
		"not valid":              {body: `{"query":"{ nobody }"}`, inJSON: 200, inOwn: 400, codes: "BAD_USER_INPUT"},
		"variable does not fit":  {body: `{"query":"query ($s: String!) { provider(slug: $s) { id } }","variables":{"s":null}}`, inJSON: 200, inOwn: 400, codes: "BAD_USER_INPUT"},
		"two operations":         {body: `{"query":"query A { providers { id } } query B { providers { id } }"}`, inJSON: 200, inOwn: 400, codes: "BAD_USER_INPUT"},
		"too deep":               {body: `{"query":"` + deep + `"}`, inJSON: 200, inOwn: 400, codes: "QUERY_TOO_COMPLEX"},
		"no JSON":                {body: `{"query":`, inJSON: 400, inOwn: 400, codes: "BAD_USER_INPUT"},
		"two values":             {body: good + good, inJSON: 400, inOwn: 400, codes: "BAD_USER_INPUT"},
		"a batch":                {body: "[" + good + "]", inJSON: 400, inOwn: 400, codes: "BAD_USER_INPUT"},
		"no query":               {body: `{"variables":{}}`, inJSON: 400, inOwn: 400, codes: "BAD_USER_INPUT"},
		"null":                   {body: `null`, inJSON: 400, inOwn: 400, codes: "BAD_USER_INPUT"},
		"nulls are nothing":      {body: `{"query":"{ providers { slug } }","variables":null,"extensions":null,"operationName":null}`, inJSON: 200, inOwn: 200, data: true},
		"unknown is looked over": {body: `{"query":"{ providers { slug } }","more":[1]}`, inJSON: 200, inOwn: 200, data: true},
	} {
		for accept, status := range map[string]int{jsonType: tc.inJSON, responseType: tc.inOwn} {
			w := post(t, h, tc.body, "Accept", accept)
			if w.Code != status || w.Header().Get("Content-Type") != accept || codes(t, w) != tc.codes {
				t.Errorf("%s as %s: status %d, want %d, %s: %s", name, accept, w.Code, status, w.Header().Get("Content-Type"), w.Body)
			}
			if has := strings.Contains(w.Body.String(), `"data":`); has != tc.data {
				t.Errorf("%s: data entry %t: %s", name, has, w.Body)
			}
			if tc.codes != "" && w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: Cache-Control %q", name, w.Header().Get("Cache-Control"))
			}
		}
	}
}

// deep is a document with one level too many.
var deep = "{ events { nodes { " + strings.Repeat("series { events { nodes { ", 4) + "id" + strings.Repeat(" } } }", 4) + " } } }"

func TestAccept(t *testing.T) {
	t.Parallel()
	h := handler(&shelf{})
	for accept, want := range map[string]string{
		"":                                    jsonType,
		"*/*":                                 jsonType,
		"application/*":                       jsonType,
		jsonType:                              jsonType,
		responseType:                          responseType,
		"APPLICATION/GraphQL-Response+JSON":   responseType,
		responseType + "; charset=utf-8":      responseType,
		responseType + `; charset="UTF-8"`:    responseType,
		jsonType + ", " + responseType:        responseType,
		responseType + ", */*":                responseType,
		responseType + ";q=0.5, " + jsonType:  jsonType,
		responseType + ";q=0.9, */*;q=0.1":    responseType,
		responseType + ";q=0, */*":            jsonType,
		"text/html, */*;q=0.8":                jsonType,
		"multipart/mixed, " + responseType:    responseType,
		jsonType + ";q=x, " + responseType:    responseType,
		"text/html":                           "",
		responseType + ";q=0":                 "",
		jsonType + "; charset=iso-8859-1":     "",
		responseType + ";charset=utf-16;q=.5": "",
		strings.Repeat(",;=", 1000):           "",
	} {
		w := post(t, h, good, "Accept", accept)
		if want == "" {
			if w.Code != http.StatusNotAcceptable || w.Header().Get("Content-Type") != jsonType || codes(t, w) != "BAD_USER_INPUT" {
				t.Errorf("%q: status %d: %s", accept, w.Code, w.Body)
			}
			continue
		}
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != want || !strings.Contains(w.Header().Get("Vary"), "Accept") {
			t.Errorf("%q: status %d, header %v", accept, w.Code, w.Header())
		}
	}
	if w := post(t, h, good, "Accept", "text/html", "Accept", responseType); w.Header().Get("Content-Type") != responseType {
		t.Errorf("two headers: %v", w.Header())
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	h := handler(&shelf{})
	ask := "/graphql?" + query("query", "{ providers { slug } }")
	for name, tc := range map[string]struct {
		method, target, contentType, body string
		status                            int
		answer, allow                     string
	}{
		"GET":               {method: "GET", target: ask, status: 200, answer: answered},
		"HEAD":              {method: "HEAD", target: ask, status: 200},
		"POST":              {method: "POST", target: "/graphql", contentType: jsonType, body: good, status: 200, answer: answered},
		"POST with charset": {method: "POST", target: "/graphql", contentType: "application/json;charset=UTF-8", body: good, status: 200, answer: answered},
		"POST to a query":   {method: "POST", target: ask, contentType: jsonType, body: `{}`, status: 400},
		"another charset":   {method: "POST", target: "/graphql", contentType: "application/json; charset=latin1", body: good, status: 415},
		"a form":            {method: "POST", target: "/graphql", contentType: "application/x-www-form-urlencoded", body: good, status: 415},
		"no type":           {method: "POST", target: "/graphql", body: good, status: 415},
		"PUT":               {method: "PUT", target: "/graphql", contentType: jsonType, body: good, status: 405, allow: "GET, HEAD, OPTIONS, POST"},
		"OPTIONS":           {method: "OPTIONS", target: "/graphql", status: 204, allow: "GET, HEAD, OPTIONS, POST"},
	} {
		w := send(t, h, tc.method, tc.target, strings.NewReader(tc.body), "Content-Type", tc.contentType)
		if w.Code != tc.status || w.Header().Get("Allow") != tc.allow || tc.answer != "" && w.Body.String() != tc.answer {
			t.Errorf("%s: status %d, want %d, %v: %s", name, w.Code, tc.status, w.Header(), w.Body)
		}
		if tc.method == "HEAD" && (w.Body.Len() > 0 || w.Header().Get("Content-Length") != fmt.Sprint(len(answered))) {
			t.Errorf("HEAD: %v, %d bytes", w.Header(), w.Body.Len())
		}
	}
	if w := send(t, h, "POST", "/graphql", strings.NewReader(good), "Content-Type", jsonType, "Content-Encoding", "gzip"); w.Code != 415 {
		t.Errorf("an encoded body: status %d", w.Code)
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	h := handler(&shelf{})
	const document = "query A($s: String!) { provider(slug: $s) { slug } } query B { providers { slug } }"
	for name, tc := range map[string]struct {
		parameters []string
		want       string
	}{
		"with variables":     {[]string{"query", document, "operationName", "A", "variables", `{"s":"x"}`}, `{"data":{"provider":{"slug":"x"}},"extensions":{"cost":{"requested":1,"limit":5000,"remaining":4999}}}`},
		"another operation":  {[]string{"query", document, "operationName", "B", "variables", `{"s":"x"}`}, answered},
		"null for variables": {[]string{"query", document, "operationName", "B", "variables", "null", "extensions", "null"}, answered},
	} {
		if w := get(t, h, tc.parameters...); w.Code != 200 || w.Body.String() != tc.want {
			t.Errorf("%s: status %d: %s", name, w.Code, w.Body)
		}
	}
	for name, target := range map[string]string{
		"no query":       "/graphql",
		"malformed":      "/graphql?query=%zz",
		"variables":      "/graphql?query={providers{id}}&variables=[]",
		"more variables": "/graphql?query={providers{id}}&variables={}{}",
		"extensions":     "/graphql?query={providers{id}}&extensions=5",
	} {
		if w := send(t, h, "GET", target, nil); w.Code != 400 || codes(t, w) != "BAD_USER_INPUT" {
			t.Errorf("%s: status %d: %s", name, w.Code, w.Body)
		}
	}
	if w := get(t, h, "query", "mutation { __typename }"); w.Code != 405 || codes(t, w) != "BAD_USER_INPUT" {
		t.Errorf("a mutation: status %d: %s", w.Code, w.Body)
	}
}

// TestSize over a real connection, on which a client sends everything before it looks for an answer.
func TestSize(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(handler(&shelf{}))
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	const tooLarge = `{"errors":[{"message":"the request is larger than 64 KiB","extensions":{"argument":"query","code":"BAD_USER_INPUT"}}]}`
	const limit = 64 << 10
	for size, want := range map[int]struct {
		status int
		body   string
	}{
		limit:     {200, answered},
		limit + 1: {413, tooLarge},
		2 << 20:   {413, tooLarge},
	} {
		for _, chunked := range []bool{false, true} {
			var body io.Reader = strings.NewReader(good + strings.Repeat(" ", size-len(good)))
			if chunked {
				body = io.MultiReader(body)
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, body)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", jsonType)
			response, err := client.Do(r)
			if err != nil {
				t.Errorf("%d bytes, chunked %t: %v", size, chunked, err)
				continue
			}
			answer, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || response.StatusCode != want.status || string(answer) != want.body {
				t.Errorf("%d bytes, chunked %t: status %d, %v: %s", size, chunked, response.StatusCode, err, answer)
			}
		}
	}
	w := send(t, handler(&shelf{}), http.MethodGet, "/graphql?query="+strings.Repeat("x", limit), nil)
	if w.Code != http.StatusRequestURITooLong || w.Body.String() != tooLarge {
		t.Errorf("a long URL: status %d: %s", w.Code, w.Body)
	}
}

// TestWhatIsTooLargeIsReadToItsEnd, within reason, or its sender sees no answer; one that asks first has
// not begun to send.
func TestWhatIsTooLargeIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	h := handler(&shelf{})
	for name, tc := range map[string]struct {
		size, least, most int
		expect            string
	}{
		"2 MB":        {2 << 20, 2 << 20, 3 << 20, ""},
		"endless":     {1 << 40, 4 << 20, 5 << 20, ""},
		"asked first": {2 << 20, 0, 128 << 10, "100-continue"},
	} {
		body := &counter{}
		w := send(t, h, http.MethodPost, "/graphql", io.LimitReader(body, int64(tc.size)), "Content-Type", jsonType, "Expect", tc.expect)
		if w.Code != http.StatusRequestEntityTooLarge || body.read < tc.least || body.read > tc.most {
			t.Errorf("%s: status %d after %d bytes", name, w.Code, body.read)
		}
	}
}

// counter is an endless body.
type counter struct{ read int }

func (c *counter) Read(p []byte) (int, error) {
	c.read += len(p)
	return len(p), nil
}

func TestBodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	w := send(t, handler(&shelf{}), http.MethodPost, "/graphql", io.MultiReader(strings.NewReader(`{"que`), broken{}), "Content-Type", jsonType)
	if w.Code != http.StatusBadRequest || codes(t, w) != "BAD_USER_INPUT" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestTime: an operation has a bounded time, and who has none left gets an answer all the same.
func TestTime(t *testing.T) {
	t.Parallel()
	slow := &shelf{providers: func(ctx context.Context) ([]*catalog.Provider, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	h := handler(slow, func(o *gqlhttp.Options) { o.Timeout = time.Millisecond })
	if w := post(t, h, good); w.Code != 200 || codes(t, w) != "INTERNAL" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

// purse is a Limiter of a client that has so many points, and all that it was asked for.
type purse struct{ left, taken int }

func (p *purse) Take(h http.Header, _ *http.Request, points int) bool {
	h.Set("RateLimit", "some")
	if points > p.left {
		return false
	}
	p.left, p.taken = p.left-points, p.taken+points
	return true
}

// TestRate: an operation takes what it costs, whatever comes of it; who has not as much is told to wait.
func TestRate(t *testing.T) {
	t.Parallel()
	client := &purse{left: 45}
	h := handler(&shelf{}, func(o *gqlhttp.Options) { o.Limiter = client })
	w := post(t, h, good)
	var answer struct {
		Extensions struct {
			Cost struct{ Requested int }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || client.taken == 0 || client.taken != answer.Extensions.Cost.Requested {
		t.Errorf("%d taken, %s, %v", client.taken, w.Body, err)
	}
	if post(t, h, `{"query":"{"}`); client.taken != answer.Extensions.Cost.Requested {
		t.Error("what is no operation costs nothing")
	}
	post(t, h, good)
	w = post(t, h, good, "Accept", jsonType)
	if w.Code != http.StatusTooManyRequests || codes(t, w) != "RATE_LIMITED" || w.Header().Get("RateLimit") == "" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, %v: %s", w.Code, w.Header(), w.Body)
	}
}
