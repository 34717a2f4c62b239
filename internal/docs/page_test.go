package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../../"

// A block is a fenced snippet of a page.
type block struct {
	place, language, text string
}

// pages returns the pages whose snippets and links are checked.
func pages(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(root + "docs/*.md")
	if err != nil || len(found) < 10 {
		t.Fatalf("found the pages %q, %v", found, err)
	}
	return append(found, root+"README.md", root+"CONTRIBUTING.md", root+"DESIGN.md")
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var fence = regexp.MustCompile("(?ms)^ *```([a-z]+)\n(.*?)^ *```$")

// blocks returns the snippets of a page in one language, or in all of them. An ellipsis,
// which stands for something left out, is removed.
func blocks(t *testing.T, page, language string) []block {
	t.Helper()
	text := read(t, page)
	var all []block
	for _, at := range fence.FindAllStringSubmatchIndex(text, -1) {
		b := block{
			place:    fmt.Sprintf("%s:%d", strings.TrimPrefix(page, root), 1+strings.Count(text[:at[0]], "\n")),
			language: text[at[2]:at[3]],
			text:     strings.ReplaceAll(text[at[4]:at[5]], "…", ""),
		}
		if language == "" || language == b.language {
			all = append(all, b)
		}
	}
	return all
}

// TestLanguages: a snippet in a language that no test knows would be checked by nobody.
func TestLanguages(t *testing.T) {
	t.Parallel()
	known := []string{
		"acl", // by the tests of operations.md in gqlcache
		"go", "graphql", "sh", "yaml",
		"python",  // by the test of changes.md in gqlcache, which sends its document
		"mermaid", // by the test of the picture in internal/lint
	}
	for _, page := range pages(t) {
		for _, b := range blocks(t, page, "") {
			if !slices.Contains(known, b.language) {
				t.Errorf("%s: no test checks snippets in %s", b.place, b.language)
			}
		}
		if fences := strings.Count(read(t, page), "```"); fences != 2*len(blocks(t, page, "")) {
			t.Errorf("%s: a snippet has no language, or no end", page)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinks: a link names a file that exists, and a heading that the file has.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		for _, found := range link.FindAllStringSubmatch(fence.ReplaceAllString(read(t, page), ""), -1) {
			target, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(read(t, file)), anchor) {
				t.Errorf("%s: %s has no heading #%s", page, file, anchor)
			}
		}
	}
}

var (
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns the names under which a page's headings are linked to.
func anchors(page string) []string {
	var all []string
	for _, h := range heading.FindAllStringSubmatch(page, -1) {
		all = append(all, strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-"))
	}
	return all
}

// TestIndex: docs/README.md has a line for each file of docs.
func TestIndex(t *testing.T) {
	t.Parallel()
	index := read(t, root+"docs/README.md")
	files, err := filepath.Glob(root + "docs/*")
	if err != nil {
		t.Fatal(err)
	}
	below, err := filepath.Glob(root + "docs/*/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, below...) {
		if info, err := os.Stat(file); err != nil || info.IsDir() {
			continue
		}
		name := strings.TrimPrefix(filepath.ToSlash(file), root+"docs/")
		if name != "README.md" && !strings.Contains(index, "]("+name+")") {
			t.Errorf("docs/README.md does not link to %s", name)
		}
	}
}

var (
	code      = regexp.MustCompile("`([^`\\s]+)`")
	directory = regexp.MustCompile(`^(\.ci|cascade|compat|docs|example|gqlcache|internal|tools)/`)
	steps     = regexp.MustCompile(`(?m)^readonly all_steps=\((.*)\)$`)
)

// TestContributing: the files that CONTRIBUTING.md names exist, and it has a line for
// each step of .ci/run.
func TestContributing(t *testing.T) {
	t.Parallel()
	page := read(t, root+"CONTRIBUTING.md")
	files := 0
	for _, c := range code.FindAllStringSubmatch(page, -1) {
		if !directory.MatchString(c[1]) || strings.Contains(c[1], "@") || strings.HasSuffix(c[1], "/v0.4.0") {
			continue
		}
		files++
		found, err := filepath.Glob(root + strings.ReplaceAll(c[1], "…", "*"))
		if err != nil || len(found) == 0 {
			t.Errorf("CONTRIBUTING.md: there is no %s", c[1])
		}
	}
	all := steps.FindStringSubmatch(read(t, root+".ci/run"))
	if files == 0 || all == nil {
		t.Fatalf("found %d files, and the steps %q", files, all)
	}
	for _, step := range strings.Fields(all[1]) {
		if !strings.Contains(page, "\n| `"+step+"` | ") {
			t.Errorf("CONTRIBUTING.md does not say how long the step %s takes", step)
		}
	}
}

// TestOldestGqlgen: the README names the oldest gqlgen, which is what the module
// requires.
func TestOldestGqlgen(t *testing.T) {
	t.Parallel()
	const named = `gqlgen v([0-9.]+) or later`
	in := regexp.MustCompile(named).FindStringSubmatch(read(t, root+"README.md"))
	if in == nil {
		t.Fatalf("README.md says nothing like %q", named)
	}
	if require := "github.com/99designs/gqlgen v" + in[1] + "\n"; !strings.Contains(read(t, root+"go.mod"), require) {
		t.Errorf("go.mod does not require %s", require)
	}
	if replaced := "gqlgen => github.com/99designs/gqlgen v" + in[1] + "\n"; !strings.Contains(read(t, root+"compat/floor/go.mod"), replaced) {
		t.Errorf("compat/floor does not have %s", replaced)
	}
}
