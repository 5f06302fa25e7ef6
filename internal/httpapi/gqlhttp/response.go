package gqlhttp

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/zeebo/xxh3"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
)

// minPacked is the size from which packing an answer is worth it, in bytes.
const minPacked = 1 << 10

// response is an answer that is ready to be sent, plain or as gzip. It may be sent many times, and at the same time.
type response struct {
	body    []byte
	status  int  // 0: by the media type
	refused bool // nothing was executed
	failed  bool // it holds errors
	codes   []catalog.Code

	stamp catalog.Stamp // the state of the data that it is made from; only if it is kept
	made  time.Time     // when it was begun to be made; only if it is kept

	plain form
	pack  sync.Once // makes zip when it is first asked for
	zip   *form     // nil: gzip would not make it smaller
}

func newResponse(a *graph.Answer) *response {
	return &response{body: a.Body, refused: a.Refused, failed: a.Failed, codes: a.Codes, plain: form{body: a.Body, length: lengthOf(a.Body)}}
}

// form is an answer in one content coding. The values of its headers are slices, as net/http keeps them, so that it costs nothing to
// send them again. They may not be changed. Their capacity is 1, so that append makes a copy.
type form struct {
	body   []byte
	suffix string // of its tags
	length []string
	tag    sync.Once // makes etags when they are first asked for: answers to POST have none
	etags  [mediaTypes][]string
}

func lengthOf(body []byte) []string { return header(strconv.Itoa(len(body))) }

func (f *form) etag(m media) []string {
	f.tag.Do(func() {
		sum := xxh3.Hash128(f.body).Bytes()
		tag := base64.RawURLEncoding.EncodeToString(sum[:])
		for m := range mediaTypes { // another type is another representation
			f.etags[m] = header(`"` + tag + m.tag() + f.suffix + `"`)
		}
	})
	return f.etags[m]
}

func header(value string) []string { return []string{value}[:1:1] }

// packed is the answer as gzip, nil if it is too small to gain by it.
func (a *response) packed() *form {
	a.pack.Do(func() {
		if len(a.body) < minPacked {
			return
		}
		if body := zipped(a.body); len(body) < len(a.body) {
			a.zip = &form{body: body, length: lengthOf(body), suffix: "-gzip"}
		}
	})
	return a.zip
}

// zipper makes gzip. It takes more than a megabyte, a hundred times what it packs, and so is used again.
type zipper struct {
	to bytes.Buffer
	z  *gzip.Writer
}

//nolint:gochecknoglobals // a pool is one for all
var zippers = sync.Pool{New: func() any { return &zipper{z: gzip.NewWriter(nil)} }}

func zipped(body []byte) []byte {
	p := zippers.Get().(*zipper) //nolint:forcetypeassert // the pool holds nothing else
	defer zippers.Put(p)
	p.to.Reset()
	p.z.Reset(&p.to)
	_, _ = p.z.Write(body) // to memory
	_ = p.z.Close()
	return bytes.Clone(p.to.Bytes())
}

// fixed are the headers that are the same in all answers.
//
//nolint:gochecknoglobals // a constant table
var fixed = struct {
	types         [mediaTypes][]string
	gzip          []string
	vary          []string
	noStore, keep []string
}{
	types:   [mediaTypes][]string{mediaJSON: header(mediaJSON.String()), mediaResponse: header(mediaResponse.String())},
	gzip:    header("gzip"),
	vary:    header("Accept, Accept-Encoding"),
	noStore: header("no-store"),
	keep:    header("public, max-age=" + seconds(freshFor) + ", stale-while-revalidate=" + seconds(staleFor)),
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// write sends the response. Its status follows GraphQL over HTTP, 6.4: as application/json, every well-formed request is answered with
// 200, whatever comes of it.
func (a *response) write(w http.ResponseWriter, r *http.Request, m media) {
	form := &a.plain
	h := w.Header()
	if acceptsGzip(r.Header["Accept-Encoding"]) {
		if packed := a.packed(); packed != nil {
			form = packed
			h["Content-Encoding"] = fixed.gzip
		}
	}
	if h["Vary"] == nil {
		h["Vary"] = fixed.vary
	} else {
		h["Vary"] = append(h["Vary"], fixed.vary...)
	}
	if a.failed || r.Method == http.MethodPost {
		h["Cache-Control"] = fixed.noStore
	} else {
		h["Cache-Control"] = fixed.keep
		tag := form.etag(m)
		h["Etag"] = tag
		if matches(r.Header["If-None-Match"], tag[0]) {
			delete(h, "Content-Encoding")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h["Content-Type"] = fixed.types[m]
	h["Content-Length"] = form.length
	w.WriteHeader(a.statusIn(m))
	if r.Method != http.MethodHead {
		_, _ = w.Write(form.body) //nolint:gosec // G705: it is JSON, and says so, with nosniff. A client that has left is no error of ours.
	}
}

func (a *response) statusIn(m media) int {
	switch {
	case a.status != 0:
		return a.status
	case a.refused && m == mediaResponse:
		return http.StatusBadRequest
	default:
		return http.StatusOK
	}
}

// matches says whether If-None-Match names the tag; weak tags count (RFC 9110, 13.1.2).
func matches(given []string, tag string) bool {
	for _, header := range given {
		for header != "" {
			var one string
			one, header, _ = strings.Cut(header, ",") // no tag of ours has a comma
			if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == tag || one == "*" {
				return true
			}
		}
	}
	return false
}
