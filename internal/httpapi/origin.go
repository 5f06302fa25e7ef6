package httpapi

import (
	"net/http"
	"slices"
	"time"

	"github.com/rs/cors"
)

// AnyOrigin stands for all origins.
const AnyOrigin = "*"

// preflightAge is how long a browser may keep the answer to a preflight request.
const preflightAge = 2 * time.Hour

// crossOrigin refuses requests from pages of other origins than these. The API has no logins: a page learns nothing through its visitor's
// browser that it could not ask for itself, unless the API is in a private network which the visitor can reach and the page can't. That
// case is what this protects.
func crossOrigin(origins []string, next http.Handler) http.Handler {
	if slices.Contains(origins, AnyOrigin) {
		return shared(origins, next)
	}
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(denyCrossOrigin))
	for _, origin := range origins {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			panic(err) // whoever configures them has checked them
		}
	}
	return shared(origins, protection.Handler(next))
}

// shared tells browsers, by CORS, which origins' pages may read the answers, and which headers they may read.
func shared(origins []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost},
		AllowedHeaders: []string{"*"},
		ExposedHeaders: []string{"ETag", "RateLimit", "RateLimit-Policy", "Retry-After", requestIDHeader},
		MaxAge:         int(preflightAge / time.Second),
	}).Handler(next)
}
