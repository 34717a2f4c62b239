package e2e

import (
	"fmt"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

// axeSource is where npm puts the checker: make panel, or npm ci in ui, does so.
const axeSource = "../ui/node_modules/axe-core/axe.min.js"

// faults runs axe on the panel and on the line below the response, and returns what it
// calls serious or critical. GraphiQL's own parts have faults that are not ours to mend:
// the colors of the editor's syntax are too light, and its text areas have no label.
const faults = `(async () => {
	const {violations} = await axe.run({include: [".gqc-root", ".gqc-strip"]}, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]});
	return violations.filter(v => v.impact === "serious" || v.impact === "critical")
		.flatMap(v => v.nodes.map(n => v.id + ": " + n.target.join(" ") + ": " + n.failureSummary));
})()`

// TestLooks: every tab, wide and narrow, light and dark: nothing serious for axe, nothing
// wider than the pane, and a screenshot of each.
func TestLooks(t *testing.T) {
	axe := readAxe(t)
	p := open(t, serveExample(t))
	p.ready()
	p.do(chromedp.Evaluate(axe, nil))
	for _, query := range []string{
		feed, feed,
		`query Leaders { leaderboard(limit: 3) { author { name } publishedCount } }`,
		`query Stats { authorStats(authorId: "a1111111-0000-4000-8000-000000000002") { publishedCount } }`,
		`query Search { search(term: "post") { ... on Post { title } } }`,
		feed, `mutation Archive { setPostsStatus(ids: ["a1111111-0000-4000-8000-000200000008"], status: ARCHIVED) }`,
	} {
		p.run(query)
	}
	p.eachLook(func(size, scheme string) {
		for _, tab := range []string{"request", "live", "operations", "views", "values", "sql", "log"} {
			t.Run(fmt.Sprintf("%s/%s/%s", size, scheme, tab), func(t *testing.T) {
				p := &tabOf{p, t}
				p.visit(tab)
			})
		}
	})
}

// readAxe returns the source of axe.
func readAxe(t *testing.T) string {
	t.Helper()
	axe, err := os.ReadFile(axeSource)
	if err != nil {
		t.Skip("axe is not there: run npm ci in gqlcache/panel/ui")
	}
	return string(axe)
}

// eachLook calls f with the page in each size and theme.
func (p *tab) eachLook(f func(size, scheme string)) {
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"wide", 1280, 900}, {"narrow", 420, 860}} {
		for _, scheme := range []string{"light", "dark"} {
			p.resize(size.width, size.height, scheme)
			f(size.name, scheme)
		}
	}
}

// tabOf is a page whose faults belong to a subtest.
type tabOf struct {
	*tab
	sub *testing.T
}

func (p *tabOf) visit(name string) {
	p.tabTo(name)
	p.until(`document.querySelector(".gqc-body").innerText !== ""`)
	switch name {
	case "operations", "views":
		p.click("[data-row] button")
	case "log":
		p.click("[data-event] > button")
	}
	p.check()
	p.shoot(p.sub.Name()[len("TestLooks/"):])
	switch name {
	case "log":
		p.click("[data-event] > button[aria-expanded=true]")
	case "operations", "views":
		p.click("[data-row] button[aria-expanded=true]")
	}
}

// check looks for what axe calls serious, and for what is wider than the pane.
func (p *tabOf) check() {
	for _, fault := range eval[[]string](p.tab, faults) {
		p.sub.Error(fault)
	}
	if wide := eval[[]string](p.tab, `[...document.querySelectorAll(".gqc-body > *")].filter(e => e.getBoundingClientRect().right > document.querySelector(".gqc-body").getBoundingClientRect().right).map(e => e.className)`); len(wide) > 0 {
		p.sub.Errorf("wider than the pane: %q", wide)
	}
}
