package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cascadeql/cascadeql/cascade"
)

func schema(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.graphqls"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

const blog = `directive @lower on ARGUMENT_DEFINITION
type Post @view(name: "v_post") { id: ID! title: String }
type Query { post(id: ID!): Post find(title: String @lower): [Post] @reads(view: "Post", where: ["title"], using: []) }
type Mutation { title(id: ID!): Post @writes(view: "Post", op: "UPDATE", row: "args.id", fields: ["title"]) }
`

func TestRun(t *testing.T) {
	t.Parallel()
	dir := schema(t, blog)
	var out strings.Builder
	if err := run([]string{dir}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "a.graphqls:3:98: ") || !strings.Contains(out.String(), "(unknown-value)") {
		t.Errorf("output: %s", out.String())
	}
	if err := run([]string{"-strict", filepath.Join(dir, "a.graphqls")}, &out); !errors.Is(err, errFindings) {
		t.Errorf("strict: %v", err)
	}
	if err := run([]string{"-strict", "-passive", "lower", "-covered", "lower", dir}, &out); err != nil {
		t.Errorf("with the directive named: %v", err)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"no file": {}, "missing file": {"nowhere"}, "unknown flag": {"-x"}, "no schema": {schema(t, `type {`)},
	} {
		if err := run(args, &strings.Builder{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := run([]string{schema(t, `type Query { a: Int @reads(view: "Nothing") }`)}, &strings.Builder{}); !errors.Is(err, cascade.ErrDirectives) {
		t.Errorf("a fault: %v", err)
	}
}
