package e2e

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// keptValues are of all kinds. The example has one: see TestLeaderboard.
var keptValues = []map[string]any{
	{"id": "1", "key": `leaderboard(tenant: "acme", limit: 10)`, "name": "leaderboard", "scope": "callers", "caller": "9a3f01", "type": "[]graph.Score", "bytes": 4096, "tags": 12, "hits": 7, "ageMs": 61_000, "leftMs": 239_000},
	{"id": "2", "key": `leaderboard(tenant: "acme", limit: 10)`, "name": "leaderboard", "scope": "callers", "caller": "77c0de", "type": "[]graph.Score", "bytes": 4097, "tags": 12, "hits": 3, "ageMs": 61_000, "leftMs": 239_000},
	{"id": "3", "key": `name(<img src=x onerror=alert(1)>: "` + strings.Repeat("a long argument ", 20) + `")`, "name": "name", "scope": "all", "type": "string", "bytes": 300, "tags": 1, "hits": 12_345, "ageMs": 10, "leftMs": 1_000},
	{"id": "4", "key": "rates", "name": "rates", "scope": "outside", "type": "map[string]float64", "absent": true, "bytes": 200, "tags": 2, "hits": 0, "ageMs": 10, "leftMs": 3_600_000},
}

// TestValues: the values are listed and opened, and say who shares them. They are shown as
// text, in all sizes and themes, with nothing that is serious for axe.
func TestValues(t *testing.T) {
	axe := readAxe(t)
	p := open(t, serveEdited(t, func(snapshot map[string]any) { snapshot["values"] = keptValues }))
	p.ready()
	p.do(chromedp.Evaluate(axe, nil))
	p.tabTo("values")
	p.until(`document.querySelectorAll("[data-row]").length === 4`)
	if rows := eval[[]string](p, `[...document.querySelectorAll("[data-row]")].map(e => e.dataset.row)`); !slices.Equal(rows, []string{"3", "1", "2", "4"}) {
		t.Errorf("by hits: %q", rows)
	}
	for id, want := range map[string][]string{
		"1": {"callers with one predicate", "9a3f01", "[]graph.Score", "12", "leaderboard"},
		"3": {"everybody", "12,345", "a long argument"},
		"4": {"jobs, outside of requests", "absence"},
	} {
		p.click(`[data-row="` + id + `"] button`)
		p.until(`document.querySelector(".gqc-detail") !== null`)
		for _, s := range want {
			if got := p.text(".gqc-detail"); !strings.Contains(got, s) {
				t.Errorf("value %s does not say %q: %s", id, s, got)
			}
		}
		p.click(`[data-row="` + id + `"] button`)
	}
	if n := eval[int](p, `document.querySelectorAll("img[src=x]").length`); n != 0 {
		t.Errorf("%d elements made of text", n)
	}
	p.click(`[data-row="3"] button`)
	p.eachLook(func(size, scheme string) {
		t.Run(size+"/"+scheme, func(t *testing.T) {
			(&tabOf{p, t}).check()
			p.shoot("values-" + size + "-" + scheme)
		})
	})
}

// TestLeaderboard: what GET /leaderboard of the example computes is in the tab, with its key,
// and as often as it was found. A mutation that changes the table takes it out, and the next
// request brings it back.
func TestLeaderboard(t *testing.T) {
	address := serveExample(t)
	p := open(t, address)
	p.ready()
	p.tabTo("values")
	p.until(`document.querySelector('[data-empty="No value is kept"]') !== null`)
	first := get(t, address+"/leaderboard?limit=3")
	p.until(`document.querySelectorAll("[data-row]").length === 1`)
	for range 2 {
		if again := get(t, address+"/leaderboard?limit=3"); again != first {
			t.Errorf("%s, then %s", first, again)
		}
	}
	get(t, address+"/leaderboard?limit=1")
	p.until(`document.querySelectorAll("[data-row]").length === 2`)
	// The one that was found most often is the first. Hits are counted since somebody looks.
	p.until(`(([key, hits]) => key.innerText.includes("limit: 3") && hits.innerText === "2")(document.querySelector("[data-row]").children)`)
	p.click(`[data-row] button`)
	p.until(`document.querySelector(".gqc-detail") !== null`)
	for _, s := range []string{`leaderboard(tenant: "` + tenant + `", limit: 3)`, "callers with one predicate", "[]blog.AuthorStats"} {
		if got := p.text(".gqc-detail"); !strings.Contains(got, s) {
			t.Errorf("the value does not say %q: %s", s, got)
		}
	}
	post(t, address, `mutation { createUser(input: {email: "leader@example.org", name: "New"}) { id } }`)
	p.until(`document.querySelector('[data-empty="No value is kept"]') !== null`)
	get(t, address+"/leaderboard?limit=3")
	p.until(`document.querySelectorAll("[data-row]").length === 1`)
}

// get returns the body of a GET of the first tenant.
func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Tenant", tenant)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v: %s", resp.StatusCode, err, body)
	}
	return string(body)
}

// TestNoValues: where none is kept, the tab says what would be.
func TestNoValues(t *testing.T) {
	p := open(t, serveExample(t))
	p.ready()
	p.tabTo("values")
	p.until(`document.querySelector('[data-empty="No value is kept"]')?.innerText.includes("docs/compute.md")`)
}
