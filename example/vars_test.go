package main

import (
	"encoding/json"
	"net/http"
	"testing"
)

// vars asks for the variables.
func (s *site) vars() (v struct {
	Gqlcache *struct {
		Hits          int
		Misses        int
		OperationHits map[string]int `json:"operation_hits"`
	}
	Memstats map[string]any
}) {
	s.t.Helper()
	rec := s.request(http.MethodGet, "/debug/vars", "")
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil || rec.Code != http.StatusOK {
		s.t.Fatalf("%d, %v: %s", rec.Code, err, rec.Body)
	}
	return v
}

func TestVars(t *testing.T) {
	t.Parallel()
	s := newBlog(t)
	before := s.vars()
	if before.Gqlcache == nil || before.Gqlcache.Misses != 0 || len(before.Memstats) == 0 {
		t.Fatalf("%+v", before)
	}
	for range 3 {
		s.do(tenantA, `query Titles{feed{title}}`)
	}
	if v := s.vars().Gqlcache; v.Misses != 1 || v.Hits != 2 || v.OperationHits["Titles"] != 2 {
		t.Errorf("%+v", v)
	}
	if rec := s.request(http.MethodPost, "/debug/vars", ""); rec.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", rec.Code)
	}
	if v := (&site{t: t, handler: newServer(s.store, nil), store: s.store}).vars(); v.Gqlcache != nil || len(v.Memstats) == 0 {
		t.Errorf("without a cache: %+v", v.Gqlcache)
	}
}
