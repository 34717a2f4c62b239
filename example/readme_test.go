package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	readmeHeader  = regexp.MustCompile(`-H '([^:']+): ([^']+)'`)
	readmeRequest = regexp.MustCompile(`(?m)^gql '(.*)' +# "status":"([A-Z]+)"(.*)$`)
)

// TestReadme sends the requests of the README to a server with demo data, and gets what
// it says.
func TestReadme(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var headers []string
	for _, h := range readmeHeader.FindAllStringSubmatch(string(page), -1) {
		headers = append(headers, h[1], h[2])
	}
	requests := readmeRequest.FindAllStringSubmatch(string(page), -1)
	if calls := strings.Count(string(page), "\ngql '"); len(headers) == 0 || calls == 0 || len(requests) != calls {
		t.Fatalf("found %d headers, and %d of %d requests", len(headers)/2, len(requests), calls)
	}
	s := newSite(t)
	if err := seedDemo(t.Context(), s.store); err != nil {
		t.Fatal(err)
	}
	for _, r := range requests {
		// The shell function puts its argument between these quotes as it is.
		got := s.overHTTP(`{"query":"`+r[1]+`"}`, headers)
		if !strings.Contains(got, `"status":"`+r[2]+`",`) {
			t.Errorf("%s: want %s, got %s", r[1], r[2], got)
		} else if strings.Contains(r[3], "the new title") != (r[2] == "MISS" && strings.Contains(got, `"title":"New"`)) {
			t.Errorf("%s: %s, got %s", r[1], r[3], got)
		}
		opens := strings.Join(strings.Fields(firstQuery), "")
		asked := strings.Join(strings.Fields(strings.ReplaceAll(r[1], `\"`, `"`)), "")
		asked = strings.TrimPrefix(asked, "mutation")
		if asked = strings.Trim(asked, "{}"); !strings.Contains(asked, "body") && !strings.Contains(opens, asked) {
			t.Errorf("the playground does not open with %s", r[1])
		}
	}
}

// overHTTP posts an operation over the loopback interface, from where the inspector
// answers.
func (s *site) overHTTP(body string, headers []string) string {
	s.t.Helper()
	front := httptest.NewServer(s.handler)
	defer front.Close()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, front.URL+"/graphql", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := front.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(got)
}
