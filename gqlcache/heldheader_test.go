package gqlcache_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cascadeql/cascadeql/gqlcache"
)

// lateHeader keeps the status back until it is told to send it, as gin's writer does.
type lateHeader struct {
	*httptest.ResponseRecorder
	status int
}

func (w *lateHeader) WriteHeader(status int) { w.status = status }
func (w *lateHeader) WriteHeaderNow()        { w.ResponseRecorder.WriteHeader(w.status) }

// within is a middleware's writer around another one.
type within struct{ http.ResponseWriter }

func (w within) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// TestHeldHeaderIsSent: who asks for a method of the server's writer finds it behind the hold.
func TestHeldHeaderIsSent(t *testing.T) {
	t.Parallel()
	c := newCache(t, gqlcache.Options{Callers: gqlcache.AllSeeTheSame})
	serve := func(front func(http.ResponseWriter) http.ResponseWriter) int {
		late := &lateHeader{ResponseRecorder: httptest.NewRecorder()}
		late.Code = 0
		h := c.HoldUntilCommit(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			if now, ok := w.(interface{ WriteHeaderNow() }); ok {
				now.WriteHeaderNow()
			}
		}))
		h.ServeHTTP(front(late), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		return late.Code
	}
	if got := serve(func(w http.ResponseWriter) http.ResponseWriter { return w }); got != http.StatusAccepted {
		t.Errorf("the status sent is %d", got)
	}
	if got := serve(func(w http.ResponseWriter) http.ResponseWriter { return within{within{w}} }); got != http.StatusAccepted {
		t.Errorf("behind two middlewares the status sent is %d", got)
	}
}
