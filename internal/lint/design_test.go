package lint

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// leaves are the packages that the picture of DESIGN.md leaves out.
var leaves = []string{"gqlcache/internal/safe", "gqlcache/internal/count", "gqlcache/internal/digest", "gqlcache/internal/memo", "gqlcache/internal/reason"}

// undrawn are the packages with a rule that the picture leaves out: programs, fixtures
// and suites.
var undrawn = regexp.MustCompile(`^(internal/|example/|gqlcache/internal/(testgraph|rolegraph|hostile)$|gqlcache/(gqlcachetest|store/storetest)$)`)

func section(t *testing.T, heading, end string) string {
	t.Helper()
	page, err := os.ReadFile("../../DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), heading)
	text, _, ended := strings.Cut(text, end)
	if !found || !ended {
		t.Fatalf("DESIGN.md has no %q … %q", heading, end)
	}
	return text
}

// TestPicture: the arrows of DESIGN.md's picture are allowed, and everything that is
// allowed is on a way along them.
func TestPicture(t *testing.T) {
	t.Parallel()
	picture := section(t, "```mermaid\n", "```")
	label := map[string]string{}
	for _, n := range regexp.MustCompile(`(?m)^ +(\w+)\["([^"]+)"\]$`).FindAllStringSubmatch(picture, -1) {
		label[n[1]] = n[2]
	}
	drawn := map[string][]string{}
	for _, a := range regexp.MustCompile(`(?m)^ +(\w+) --> (\w+)$`).FindAllStringSubmatch(picture, -1) {
		from, to := label[a[1]], label[a[2]]
		if !slices.Contains(ours[from], to) {
			t.Errorf("the picture has an arrow from %q to %q, which rules.go does not allow", from, to)
		}
		drawn[from] = append(drawn[from], to)
	}
	for pkg, allowed := range ours {
		if undrawn.MatchString(pkg) || slices.Contains(leaves, pkg) {
			continue
		}
		if !slices.Contains(values(label), pkg) {
			t.Errorf("the picture has no %q", pkg)
		}
		for _, imported := range allowed {
			if !slices.Contains(leaves, imported) && !leads(drawn, pkg, imported) {
				t.Errorf("no way leads from %q to %q in the picture, and rules.go allows the import", pkg, imported)
			}
		}
	}
}

// leads reports whether a way leads along the arrows. The rules have no circle.
func leads(drawn map[string][]string, from, to string) bool {
	for _, next := range drawn[from] {
		if next == to || leads(drawn, next, to) {
			return true
		}
	}
	return false
}

func values(of map[string]string) []string {
	var all []string
	for _, v := range of {
		all = append(all, v)
	}
	return all
}

// TestRooms: the rooms of DESIGN.md may not import what the table says, and each package
// has a row.
func TestRooms(t *testing.T) {
	t.Parallel()
	const anyBut = "of ours any but "
	outside := map[string]string{
		"gqlgen": "github.com/99designs/gqlgen/graphql", "gqlparser": "github.com/vektah/gqlparser/v2/ast", "net/http": "net/http",
	}
	code := regexp.MustCompile("`([^`]+)`")
	names := func(cell string) (all []string) {
		for _, c := range code.FindAllStringSubmatch(cell, -1) {
			all = append(all, c[1])
		}
		slices.Sort(all)
		return all
	}
	listed := map[string]bool{}
	table := section(t, "| room | ", "\n\n")
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|]+ \\| ([^|]+) \\|").FindAllStringSubmatch(table, -1) {
		pkg, no := row[1], row[2]
		listed[pkg] = true
		allowed := slices.Clone(ours[pkg])
		slices.Sort(allowed)
		first, rest, _ := strings.Cut(no, "; ")
		switch {
		case strings.HasPrefix(first, anyBut):
			if got := names(first); !slices.Equal(got, allowed) {
				t.Errorf("%s: the table allows %q, rules.go %q", pkg, got, allowed)
			}
			no = rest
		case first == "any of ours":
			if len(allowed) > 0 {
				t.Errorf("%s: the table allows nothing of ours, rules.go %q", pkg, allowed)
			}
			no = rest
		}
		for _, name := range names(no) {
			imported := Module + "/" + name
			if outside[name] != "" {
				imported = outside[name]
			}
			if checkImport(pkg, imported, false) == "" {
				t.Errorf("%s: the table says that it may not import %q, and rules.go allows it", pkg, name)
			}
		}
	}
	for pkg := range ours {
		if !listed[pkg] && !strings.HasPrefix(pkg, "internal/") && !strings.HasPrefix(pkg, "example/") && !strings.HasSuffix(pkg, "graph") && !strings.HasSuffix(pkg, "hostile") {
			t.Errorf("the table of rooms has no row for %q", pkg)
		}
	}
}
