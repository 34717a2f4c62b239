// Command mutants checks that the tests of the rules that matter can fail: it breaks one rule after
// the other in the source, and demands that the test named for it fails. Run it from the root of the
// module:
//
//	go run ./internal/mutants [regexp of names]
//
// Nothing in the module is written: the broken files are given to the build as an overlay. A test
// that takes longer than a minute counts as failed, since a broken rule may hang.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	only := regexp.MustCompile("")
	if len(args) > 0 {
		var err error
		if only, err = regexp.Compile(args[0]); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var chosen []mutant
	for _, m := range mutants {
		if only.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	// A test that fails by itself proves nothing.
	if out, err := test(nil, ".", packages(chosen)...); err != nil {
		return fmt.Errorf("the tests fail without a mutant:\n%s", out)
	}
	return judge(dir, chosen)
}

func packages(list []mutant) (pkgs []string) {
	seen := map[string]bool{}
	for _, m := range list {
		if pkg := m.pkg(); !seen[pkg] {
			seen[pkg] = true
			pkgs = append(pkgs, pkg)
		}
	}
	return pkgs
}

// judge tries all mutants, as many at a time as there are processors.
func judge(dir string, list []mutant) error {
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	faults := make([]error, len(list))
	for i, m := range list {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			faults[i] = m.try(filepath.Join(dir, fmt.Sprint(i)))
		})
	}
	wg.Wait()
	bad := 0
	for i, m := range list {
		if faults[i] != nil {
			bad++
			fmt.Printf("FAIL    %-10s %s: %v\n", path.Base(m.pkg()), m.name, faults[i])
			continue
		}
		fmt.Printf("caught  %-10s %s (%s)\n", path.Base(m.pkg()), m.name, m.test)
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d mutants are not caught", bad, len(list))
	}
	return nil
}

// A mutant is one broken rule.
type mutant struct {
	name string
	file string // from the root of the module
	old  string // occurs once in the file
	new  string
	test string // regular expression of the tests that must notice
}

func (m mutant) pkg() string { return "./" + path.Dir(m.file) }

// try returns nil when the mutant is caught.
func (m mutant) try(dir string) error {
	src, err := os.ReadFile(filepath.FromSlash(m.file))
	if err != nil {
		return err
	}
	if n := strings.Count(string(src), m.old); n != 1 {
		return fmt.Errorf("its text occurs %d times in %s", n, m.file)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	broken := filepath.Join(dir, "broken.go")
	if err := os.WriteFile(broken, []byte(strings.Replace(string(src), m.old, m.new, 1)), 0o600); err != nil {
		return err
	}
	abs, err := filepath.Abs(m.file)
	if err != nil {
		return err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {abs: broken}})
	if err != nil {
		return err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return err
	}
	out, err := test([]string{"-overlay", list}, m.test, m.pkg())
	switch {
	case err == nil:
		return fmt.Errorf("%s passes", m.test)
	case bytes.Contains(out, []byte("[build failed]")), bytes.Contains(out, []byte("[setup failed]")):
		return fmt.Errorf("it does not compile:\n%s", out)
	}
	return nil
}

func test(flags []string, pattern string, pkgs ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	args := append([]string{"test", "-short", "-count=1", "-timeout=1m", "-vet=off", "-run", pattern}, flags...)
	return exec.CommandContext(ctx, "go", append(args, pkgs...)...).CombinedOutput()
}
