package e2e

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	feed   = `query Feed { feed(limit: 2) { id title author { name } } }`
	rename = `mutation Retitle { updatePost(id: "a1111111-0000-4000-8000-000200000008", input: {title: "Anew"}) { id title } }`
)

// edit puts an operation into the editor.
func (p *tab) edit(query string) {
	p.t.Helper()
	p.until(`document.querySelector(".graphiql-query-editor .CodeMirror")?.CodeMirror !== undefined`)
	p.do(chromedp.Evaluate(`document.querySelector(".graphiql-query-editor .CodeMirror").CodeMirror.setValue(`+quote(query)+`)`, nil))
	name := operationName.FindStringSubmatch(query)[1]
	p.until(`document.querySelector(".graphiql-tab-active .graphiql-tab-button").innerText === ` + quote(name)) // GraphiQL parses after a while
}

var operationName = regexp.MustCompile(`^\w+ (\w+)`)

// run runs an operation as a user does, waits until the panel shows it, and returns its
// status.
func (p *tab) run(query string) string {
	p.t.Helper()
	p.edit(query)
	dots := p.responses()
	// While the editor is thought to have several operations, as the example's has at
	// first, the button opens a menu of them.
	p.until(`!document.querySelector(".graphiql-execute-button").hasAttribute("aria-haspopup")`)
	p.click(".graphiql-execute-button")
	p.until(responses + `>` + strconv.Itoa(dots))
	return eval[string](p, `document.querySelector(".gqc-strip [data-status]").dataset.status`)
}

// responses counts the responses that the page has shown.
const responses = `Number(document.querySelector("[data-responses]")?.dataset.responses ?? 0)`

func (p *tab) responses() int { return eval[int](p, responses) }

// tabTo opens a tab of the panel.
func (p *tab) tabTo(name string) { p.click(`[data-tab="` + name + `"]`) }

// ready waits until the panel has spoken to the inspector, which watches from then on.
func (p *tab) ready() {
	p.t.Helper()
	p.until(`document.querySelector('[data-link="up"]') !== null`)
}

// TestTraffic: what other clients do moves the rate and fills the log.
func TestTraffic(t *testing.T) {
	address := serveExample(t)
	p := open(t, address)
	p.ready()
	p.tabTo("live")
	p.until(`document.querySelector(".gqc-quiet") !== null`)
	for range 4 {
		post(t, address, feed)
	}
	p.until(`document.querySelector("[data-hit-rate]")?.dataset.hitRate === "0.75"`)
	post(t, address, rename)
	p.tabTo("log")
	p.click("[data-event] > button")
	p.until(`document.querySelector('[data-cascade-node="Retitle"]') !== null`)
	p.tabTo("operations")
	p.until(`document.querySelector('[data-row^="Feed"]') !== null`)
}

// TestMissThenHit: a query twice, and the panel tells the miss, the hit, and the moving
// rate.
func TestMissThenHit(t *testing.T) {
	p := open(t, serveExample(t))
	p.ready()
	if got := p.run(feed); got != "MISS" {
		t.Errorf("first %s, want MISS", got)
	}
	if s := p.text("[data-reason]"); s == "" {
		t.Error("no reason")
	}
	p.until(`document.querySelector('[data-tab="live"]') !== null`)
	if got := p.run(feed); got != "HIT" {
		t.Errorf("then %s, want HIT", got)
	}
	if s := p.text(".gqc-life"); !strings.Contains(s, "left") {
		t.Errorf("time to live: %q", s)
	}
	p.shoot("hit")
	p.tabTo("live")
	p.until(`document.querySelector("[data-hit-rate]")?.dataset.hitRate === "0.5"`)
	p.shoot("live")
}

// TestMutation: the tree names the rows and views that a mutation reached, and the next
// read is a miss that names the mutation.
func TestMutation(t *testing.T) {
	p := open(t, serveExample(t))
	p.ready()
	p.run(feed)
	p.run(feed)
	if got := p.run(rename); got != "INVALIDATED" {
		t.Fatalf("mutation: %s", got)
	}
	p.until(`document.querySelector("[data-cascade-node]") !== null`)
	nodes := eval[[]string](p, `[...document.querySelectorAll("[data-cascade-node]")].map(n => n.dataset.kind + " " + n.dataset.cascadeNode)`)
	if all := strings.Join(nodes, "\n"); !strings.Contains(all, "v_post") || !strings.Contains(all, "cause ") {
		t.Errorf("the tree has %q", nodes)
	}
	total := eval[string](p, `document.querySelector("[data-evicted-total]").dataset.evictedTotal ?? ""`)
	sum := eval[int](p, `[...document.querySelectorAll('[data-cascade-node]:not([data-kind="operation"])')].reduce((s, n) => s + (n.classList.contains("gqc-again") ? 0 : Number(n.dataset.evicted)), 0)`)
	if total != "1" || sum != 1 {
		t.Errorf("evicted %q, and %d in the tree; want one", total, sum)
	}
	p.shoot("mutation")
	if got := p.run(feed); got != "MISS" {
		t.Errorf("after the mutation: %s, want MISS", got)
	}
	if s := p.text("[data-reason]"); !strings.Contains(s, "Retitle") {
		t.Errorf("the reason does not name the mutation: %q", s)
	}
	p.shoot("miss-after-mutation")
	p.click("[data-reason] button") // the event
	p.until(`document.querySelector('[data-event] [data-cascade-node]') !== null`)
	p.shoot("log")
}

// TestInvalidate: a press on a view's cross, and the entry is gone.
func TestInvalidate(t *testing.T) {
	for _, action := range []string{"invalidateView", "invalidateRow"} {
		t.Run(action, func(t *testing.T) {
			p := open(t, serveExample(t))
			p.ready()
			p.run(feed)
			if got := p.run(feed); got != "HIT" {
				t.Fatalf("%s, want HIT", got)
			}
			p.click(`.gqc-body [data-action="` + action + `"]`)
			p.until(`document.querySelector("[data-notice]") !== null`)
			if got := p.run(feed); got != "MISS" {
				t.Errorf("after %s: %s, want MISS; notice %q", action, got, p.text("[data-notice]"))
			}
		})
	}
	for _, row := range []struct{ tab, action string }{{"operations", "invalidateOperation"}, {"views", "invalidateView"}, {"live", "clear"}} {
		t.Run(row.tab, func(t *testing.T) {
			p := open(t, serveExample(t))
			p.ready()
			p.run(feed)
			p.tabTo(row.tab)
			if row.tab != "live" {
				p.until(`document.querySelector("[data-row] button") !== null`)
				name := map[string]string{"operations": "Feed", "views": "v_post"}[row.tab]
				p.click(`[data-row^="` + name + `"] button`)
			}
			p.click(`[data-action="` + row.action + `"]`)
			p.until(`document.querySelector('[data-action="` + row.action + `"][data-armed="true"]') !== null`)
			p.click(`[data-action="` + row.action + `"]`)
			p.until(`document.querySelector("[data-notice]") !== null`)
			p.shoot(row.tab)
			p.tabTo("request")
			if got := p.run(feed); got != "MISS" {
				t.Errorf("after %s: %s, want MISS", row.action, got)
			}
		})
	}
}

// TestBypass: the switch in the toolbar leaves the cache aside.
func TestBypass(t *testing.T) {
	p := open(t, serveExample(t))
	p.ready()
	p.run(feed)
	p.click(`button[aria-label="Bypass the cache"]`)
	if got := p.run(feed); got != "BYPASS" {
		t.Errorf("%s, want BYPASS", got)
	}
	p.click(`button[aria-label^="The cache is bypassed"]`)
	if got := p.run(feed); got != "HIT" {
		t.Errorf("%s, want HIT", got)
	}
}

// TestReload: the page comes back as it was, from the browser's cache and the loopback
// interface alone.
func TestReload(t *testing.T) {
	p := open(t, serveExample(t))
	p.ready()
	p.run(feed)
	p.do(chromedp.Reload())
	p.ready()
	if got := p.run(feed); got != "HIT" {
		t.Errorf("%s, want HIT", got)
	}
}

// TestHostileText: what other people wrote is shown as text.
func TestHostileText(t *testing.T) {
	address := serveExample(t)
	const evil = `<img src=x onerror=alert(1)><script>alert(2)</script>`
	p := open(t, address)
	p.ready()
	if s := p.run(fmt.Sprintf(`mutation Evil { updatePost(id: "a1111111-0000-4000-8000-000200000008", input: {title: %q}) { id title } }`, evil)); s != "INVALIDATED" {
		t.Fatalf("mutation: %s", s)
	}
	p.run(feed)
	p.run(fmt.Sprintf(`query Evil { post(id: %q) { title } }`, evil))
	for _, name := range []string{"request", "live", "operations", "views", "sql", "log"} {
		p.tabTo(name)
		p.until(`document.querySelector(".gqc-body").innerText !== ""`)
	}
	if n := eval[int](p, `document.querySelectorAll("img[src=x]").length`); n != 0 {
		t.Errorf("%d elements made of text", n)
	}
	// Were it otherwise, the policy or a dialog would have told: see tab.notice.
}

// TestNoInspector: a playground on a server that tells nothing.
func TestNoInspector(t *testing.T) {
	p := open(t, serveExample(t, "CACHE=off"))
	p.until(`document.querySelector('[data-link="absent"]') !== null`)
	if got := p.run(feed); got != "NONE" {
		t.Errorf("%s, want NONE", got)
	}
	p.tabTo("live")
	p.until(`document.querySelector('[data-empty="No inspector"]') !== null`)
	p.shoot("no-inspector")
}

// TestKeyboard: the tabs by arrow keys, the panel from the line below the response.
func TestKeyboard(t *testing.T) {
	p := open(t, serveExample(t))
	p.ready()
	p.do(chromedp.Focus(`[data-tab="request"]`, chromedp.ByQuery), chromedp.KeyEvent(kb.ArrowRight))
	p.until(`document.activeElement.dataset.tab === "live"`)
	p.do(chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.ArrowLeft))
	p.until(`document.activeElement.dataset.tab === "log"`)
}
