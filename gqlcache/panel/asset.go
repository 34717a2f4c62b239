package panel

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// An asset is an embedded file. Its content decides its version, so that browsers keep it
// for ever under the address that names the version, and ask again under any other.
type asset struct {
	contentType string
	content     []byte
	version     string
	compressed  func() []byte // once, when first asked for: 75 ms for app.js
}

func newAsset(contentType string, content []byte) *asset {
	sum := sha256.Sum256(content)
	return &asset{
		contentType: contentType,
		content:     content,
		version:     base64.RawURLEncoding.EncodeToString(sum[:9]),
		compressed:  sync.OnceValue(func() []byte { return compress(content) }),
	}
}

func compress(content []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(content) // writing to memory does not fail
	_ = z.Close()
	return b.Bytes()
}

// ServeHTTP implements http.Handler.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, etag := a.content, `"`+a.version+`"`
	h := w.Header()
	// A middleware that has announced a coding will apply it, to what is coded already as
	// well.
	if h.Get("Content-Encoding") == "" && acceptsGzip(r) {
		body, etag = a.compressed(), `"`+a.version+`-gzip"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", a.contentType)
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", etag)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.URL.Query().Get("v") == a.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	if r.Header.Get("If-None-Match") == etag {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(body) // a lost client is nobody's business
}

// acceptsGzip reads Accept-Encoding as far as browsers and proxies write it.
func acceptsGzip(r *http.Request) bool {
	for encoding := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, weighted := strings.Cut(encoding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		_, value, _ := strings.Cut(weight, "=")
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		return !weighted || err == nil && q > 0
	}
	return false
}
