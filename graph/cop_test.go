package graph_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestCop are the twelve checks of https://github.com/dolevf/graphql-cop, and the one that it leaves out. Two of them find what is
// meant: queries by GET, which caches want, and introspection, which a limit bounds and an operator may switch off.
func TestCop(t *testing.T) {
	t.Parallel()
	a := start(t, 4)
	fixture(a)
	post := func(contentType, body string, header ...string) (int, string) {
		return a.send(http.MethodPost, "", contentType, body, header...)
	}
	ask := func(query string) (int, string) {
		got := a.ask(query, "")
		return got.status, string(got.body)
	}
	by := func(parameters url.Values, header ...string) (int, string) {
		return a.send(http.MethodGet, "?"+parameters.Encode(), "", "", header...)
	}
	const found, refused = `"data":{`, `"errors":[`
	for name, tc := range map[string]struct {
		ask func() (int, string)
		has string
		not string
	}{
		"field_suggestions":            {func() (int, string) { return ask(`query cop { __schema { directive } }`) }, refused, "ean \""},
		"field_suggestions: arguments": {func() (int, string) { return ask(`{ events(frist: 1) { totalCount } }`) }, refused, "ean \""},
		"field_suggestions: values":    {func() (int, string) { return ask(`{ events(orderBy: {field: BEGIN}) { totalCount } }`) }, refused, "ean \""},
		"introspection":                {func() (int, string) { return ask(`query cop { __schema { types { name fields { name } } } }`) }, found, refused},
		"detect_graphiql":              {func() (int, string) { return by(nil, "Accept", "text/html") }, refused, "raphiQL"},
		"get_method_support":           {func() (int, string) { return by(url.Values{"query": {`query cop {__typename}`}}) }, found, refused},
		"alias_overloading": {func() (int, string) {
			return ask(`query cop { ` + strings.Repeat("alias1: __typename \n", 101) + ` }`)
		}, "QUERY_TOO_COMPLEX", found},
		"batch_query": {func() (int, string) {
			return post("application/json", `[`+strings.TrimSuffix(strings.Repeat(`{"query":"query cop { __typename }"},`, 10), ",")+`]`)
		}, refused, found},
		"trace_mode":                   {func() (int, string) { return ask(`query cop { __typename }`) }, found, "tracing"},
		"directive_overloading":        {func() (int, string) { return ask(`query cop { __typename ` + strings.Repeat("@aa", 10) + ` }`) }, refused, strings.Repeat(`"message"`, 2)},
		"directive_overloading: known": {func() (int, string) { return ask(`{ ` + strings.Repeat("__typename @skip(if: false) ", 31) + ` }`) }, "QUERY_TOO_COMPLEX", found},
		"circular_query_introspection": {func() (int, string) {
			return ask(`query cop { __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }`)
		}, refused, found},
		"get_based_mutation": {func() (int, string) { return by(url.Values{"query": {`mutation cop {__typename}`}}) }, refused, found},
		"post_based_csrf": {func() (int, string) {
			return post("application/x-www-form-urlencoded", url.Values{"query": {`query cop { __typename }`}}.Encode())
		}, refused, found},
		"post_based_csrf: plain text": {func() (int, string) { return post("text/plain", `{"query":"{ __typename }"}`) }, refused, found},
		"post_based_csrf: another site": {func() (int, string) {
			return post("application/json", `{"query":"{ __typename }"}`, "Sec-Fetch-Site", "cross-site")
		}, "FORBIDDEN", found},
		"unhandled_error_detection": {func() (int, string) { return ask(`qwerty cop { abc }`) }, refused, "exception"},
		"field_duplication":         {func() (int, string) { return ask(`query cop { ` + strings.Repeat("__typename \n", 500) + `} `) }, "QUERY_TOO_COMPLEX", found},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := tc.ask()
			if status >= http.StatusInternalServerError || !strings.Contains(body, tc.has) || strings.Contains(body, tc.not) {
				t.Errorf("status %d, want %s and no %s: %.500s", status, tc.has, tc.not, body)
			}
			if found := leak.FindString(body); found != "" {
				t.Errorf("it tells too much (%q): %.500s", found, body)
			}
		})
	}
}
