package httpapi

import (
	"net/http"
	"slices"
	"time"

	"github.com/rs/cors"
)

// AnyOrigin lets every page ask.
const AnyOrigin = "*"

// preflightAge is how long a browser may remember what it was told of another origin.
const preflightAge = 2 * time.Hour

// crossOrigin says which pages of other origins may ask. Nobody is asked who they are, so what such a page could read it
// could read without its visitor, too, unless the visitor is in a network where the page is not: that is what the
// default protects.
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

// shared tells browsers, by CORS, which pages may read answers, and which headers of them.
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
