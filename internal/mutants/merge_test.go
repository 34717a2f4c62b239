package main

import (
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// TestMerged: mutants of bodies go into one file, each with labels of its own, and what is no body goes apart.
func TestMerged(t *testing.T) {
	t.Chdir(t.TempDir())
	const src = `package p

const one = 1

func sum(list []int) (n int) {
again:
	for _, v := range list {
		if v < 0 {
			continue again
		}
		n += v
	}
	return n
}

func (s *set) add(v int) { s.m[v] = one }
`
	if err := os.WriteFile("p.go", []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	list := []mutant{
		{file: "p.go", old: "v < 0", new: "v > 0"},
		{file: "p.go", old: "const one = 1", new: "const one = 2"},
		{file: "p.go", old: "s.m[v] = one", new: ""},
		{file: "p.go", old: "add(v int)", new: "add(v uint)"},
		{file: "p.go", old: "n += v", new: "n -= v"},
	}
	apart := map[int]bool{}
	if _, err := merged("out", list, apart); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, true, false, true, false} {
		if apart[i] != want {
			t.Errorf("mutant %d: apart %v", i, apart[i])
		}
	}
	text, err := os.ReadFile("out/0.go")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "", text, 0); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
	for _, want := range []string{"mutantChosen == 0", "mutantChosen == 2", "mutantChosen == 4", "continue againMutant0", "againMutant4:", "n -= v", "\n//line p.go:5\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
