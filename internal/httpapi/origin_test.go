package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/aledotdev/marquee/internal/httpapi"
)

// TestOrigins: which pages may ask, and are shown what they are told.
func TestOrigins(t *testing.T) {
	t.Parallel()
	const app, other = "https://app.example", "https://other.example"
	for name, tc := range map[string]struct {
		origins []string
		asks    string
		status  int    // of a POST
		allowed string // by the browser's preflight and answer
	}{
		"none":         {nil, app, http.StatusForbidden, ""},
		"this one":     {[]string{app}, app, http.StatusOK, app},
		"another":      {[]string{app}, other, http.StatusForbidden, ""},
		"one of two":   {[]string{app, other}, other, http.StatusOK, other},
		"all of them":  {[]string{httpapi.AnyOrigin}, other, http.StatusOK, "*"},
		"all and one":  {[]string{app, httpapi.AnyOrigin}, other, http.StatusOK, "*"},
		"another port": {[]string{app}, app + ":8443", http.StatusForbidden, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(found())
			o.Origins = tc.origins
			h := httpapi.New(o)
			header := []string{"Origin", tc.asks, "Sec-Fetch-Site", "cross-site"}
			w := do(t, h, http.MethodPost, "/graphql", header...)
			if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != tc.status || got != tc.allowed {
				t.Errorf("POST: status %d, allowed %q", w.Code, got)
			}
			if w.Header().Get("Access-Control-Allow-Credentials") != "" {
				t.Error("with cookies")
			}
			w = do(t, h, http.MethodOptions, "/graphql", append(header, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")...)
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != tc.allowed {
				t.Errorf("preflight: status %d, allowed %q", w.Code, got)
			}
		})
	}
}
