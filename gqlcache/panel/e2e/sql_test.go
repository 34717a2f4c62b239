package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// statements are the runs of statements that the tab shows, by what is known of them.
func (p *tab) statements(outcome string) int {
	p.t.Helper()
	n, err := strconv.Atoi(strings.ReplaceAll(p.text(`[data-statements="`+outcome+`"]`), ",", ""))
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// TestSQL: the example without directives. Its statements are counted as they are sent,
// and a commit; there is nothing to report of them.
func TestSQL(t *testing.T) {
	p := open(t, serveExample(t, "DIRECTIVES=off"))
	p.ready()
	p.tabTo("sql")
	p.until(`document.querySelector('[data-statements="known"]') !== null`)
	before := p.statements("known")
	if got := p.run(feed); got != "MISS" {
		t.Errorf("%s, want MISS", got)
	}
	p.until(`Number(document.querySelector('[data-statements="known"]').innerText) > ` + strconv.Itoa(before))
	p.until(`document.querySelector('[data-empty="Nothing to report"]') !== null`)
	if got := p.run(rename); got != "INVALIDATED" {
		t.Errorf("%s, want INVALIDATED", got)
	}
	p.until(`Number(document.querySelector('[data-commits="seen"]').innerText) > 0`)
	if n := p.statements("notUnderstood"); n != 0 {
		t.Errorf("%d statements of the example are not understood", n)
	}
	p.shoot("sql-nothing")
}

// TestSQLWithoutHandle: where nothing is observed, the tab says what to do.
func TestSQLWithoutHandle(t *testing.T) {
	p := open(t, serveExample(t))
	p.ready()
	p.tabTo("sql")
	p.until(`document.querySelector('[data-empty="No database handle is wrapped"]')?.innerText.includes("docs/observe.md")`)
	p.shoot("sql-without-handle")
}

// A finding is what the tab gets.
type finding struct {
	Kind      string `json:"kind"`
	Effect    string `json:"effect"`
	Text      string `json:"text,omitempty"`
	Why       string `json:"why,omitempty"`
	Place     string `json:"place,omitempty"`
	Operation string `json:"operation,omitempty"`
	Advice    string `json:"advice"`
	Count     uint64 `json:"count"`
}

// findings are such as other servers have: the example has none.
var findings = []finding{
	{
		Kind: "not understood", Effect: "everything", Text: "SELECT id, " + strings.Repeat("a_column_with_a_long_name, ", 12) + "title FROM posts WHERE author_id = ? AND body @@ ?",
		Why: `sql not understood: expression expected, not "@@" at byte 409`, Place: "/src/shop/repository/posts.go:142", Operation: "Search", Advice: "Write the statement in a simpler way.", Count: 12345,
	},
	{
		Kind: "incomplete key", Effect: "notStored", Text: "argument 2 of SELECT name FROM users WHERE tenant = ? AND role = ?", Operation: "<img src=x onerror=alert(1)>",
		Why: "its value comes from nothing that the cache key has", Advice: "Add what the value depends on to Options.Predicate.", Count: 1,
	},
	{Kind: "unexplained field", Effect: "notStored", Text: "Post.excerpt", Advice: "Name the field in Observe.Computed.", Count: 7},
	{Kind: "no computation", Effect: "wider", Text: "SELECT name FROM tags WHERE post_id IN (?)", Place: "/src/shop/loader.go:9", Advice: "Pass the resolver's context to the statement.", Count: 80},
	{Kind: "too many shapes", Effect: "wider", Why: "reads compare more sets of columns than are told apart", Advice: "Write them with fewer.", Count: 2},
}

// serveFindings serves the example without directives, through a gateway that adds
// findings to snapshots.
func serveFindings(t *testing.T) (address string) {
	t.Helper()
	return serveEdited(t, addFindings, "DIRECTIVES=off")
}

// serveEdited serves the example through a gateway that edits snapshots.
func serveEdited(t *testing.T, edit func(snapshot map[string]any), env ...string) (address string) {
	t.Helper()
	target, err := url.Parse(serveExample(t, env...))
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Del("Accept-Encoding")
		},
		ModifyResponse: func(resp *http.Response) error { return editSnapshot(resp, edit) },
	}
	gateway := httptest.NewServer(proxy)
	t.Cleanup(gateway.Close)
	return gateway.URL
}

func addFindings(snapshot map[string]any) {
	observed, ok := snapshot["observed"].(map[string]any)
	if !ok {
		return
	}
	observed["findings"], observed["moreFindings"] = findings, 3
	observed["statements"] = map[string]any{"known": 98_765, "widened": 80, "notUnderstood": 12_345}
	observed["operations"] = []any{map[string]any{
		"operation": map[string]any{"name": "Leaders", "type": "query", "hash": "00"}, "uncovered": []string{"author_stats", "tags"},
	}}
}

// editSnapshot edits the snapshot of a response, if it has one.
func editSnapshot(resp *http.Response, edit func(snapshot map[string]any)) error {
	if !strings.Contains(resp.Header.Get("Content-Type"), "json") {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var answer map[string]any
	if json.Unmarshal(body, &answer) == nil {
		extensions, _ := answer["extensions"].(map[string]any)
		cache, _ := extensions["cache"].(map[string]any)
		if snapshot, ok := cache["inspect"].(map[string]any); ok {
			edit(snapshot)
			if body, err = json.Marshal(answer); err != nil {
				return err
			}
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// TestFindings: what was found is listed as the server has sorted it, and opens to say
// where, and what to do. It is shown as text, in all sizes and themes, with nothing that is
// serious for axe.
func TestFindings(t *testing.T) {
	axe := readAxe(t)
	p := open(t, serveFindings(t))
	p.ready()
	p.do(chromedp.Evaluate(axe, nil))
	p.tabTo("sql")
	p.until(`document.querySelector("[data-finding]") !== null`)
	kinds := eval[[]string](p, `[...document.querySelectorAll("[data-finding]")].map(e => e.dataset.finding)`)
	for i, f := range findings {
		if len(kinds) != len(findings) || kinds[i] != f.Kind {
			t.Fatalf("the tab lists %q", kinds)
		}
	}
	if s := p.text(".gqc-body"); !strings.Contains(s, "12.3K×") || !strings.Contains(s, "3 more findings") || !strings.Contains(s, "author_stats") {
		t.Errorf("the tab says %s", s)
	}
	for i, f := range findings {
		button := fmt.Sprintf("[data-finding]:nth-of-type(%d) > button", i+1)
		p.click(button)
		p.until(`document.querySelector("[data-finding-advice]")?.innerText === ` + quote(f.Advice))
		for selector, want := range map[string]string{"[data-finding-operation]": f.Operation, "[data-finding-place]": f.Place, ".gqc-finding .gqc-statement code": f.Text} {
			if got := p.text(selector); want != "" && got != want {
				t.Errorf("%s: %s is %q, want %q", f.Kind, selector, got, want)
			}
		}
		p.click(button)
	}
	if n := eval[int](p, `document.querySelectorAll("img[src=x]").length`); n != 0 {
		t.Errorf("%d elements made of text", n)
	}
	p.click("[data-finding] > button")
	p.eachLook(func(size, scheme string) {
		t.Run(size+"/"+scheme, func(t *testing.T) {
			(&tabOf{p, t}).check()
			p.shoot("findings-" + size + "-" + scheme)
		})
	})
}
