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
	"slices"
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
	defer func() { _ = os.RemoveAll(dir) }()
	var chosen []mutant
	for _, m := range slices.Concat(rules, cacheRules, precisionRules, sharedRules, joinRules, intentRules, inspectRules, verifyRules, computationRules, commitsRules, boundsRules, keyRules, hiddenRules, verifyingRules, fleetRules, valuesRules, compatRules, attackRules, attack2Rules) {
		if only.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	// A test that fails by itself proves nothing.
	for pkg, pattern := range patterns(chosen) {
		if out, err := test(nil, pattern, pkg); err != nil {
			return fmt.Errorf("the tests fail without a mutant:\n%s", out)
		}
	}
	return judge(dir, chosen)
}

// patterns returns, for each package, an expression for all the tests that are named in it.
func patterns(list []mutant) map[string]string {
	all := map[string]string{}
	for _, m := range list {
		if p := all[m.pkg()]; p != "" {
			all[m.pkg()] = p + "|" + m.test
		} else {
			all[m.pkg()] = m.test
		}
	}
	return all
}

// judge tries all mutants, twice as many at a time as there are processors: many of the tests wait.
func judge(dir string, list []mutant) error {
	var wg sync.WaitGroup
	slots := make(chan struct{}, 2*runtime.GOMAXPROCS(0))
	faults, took := make([]error, len(list)), make([]time.Duration, len(list))
	for i, m := range list {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			start := time.Now()
			faults[i] = m.try(filepath.Join(dir, fmt.Sprint(i)))
			took[i] = time.Since(start).Round(time.Second / 10)
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
		fmt.Printf("caught  %-10s %s (%s, %v)\n", path.Base(m.pkg()), m.name, m.test, took[i])
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
	in   string // their package; the file's unless set
}

func (m mutant) pkg() string {
	if m.in != "" {
		return "./" + m.in
	}
	return "./" + path.Dir(m.file)
}

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
	for range attempts {
		out, err := test([]string{"-overlay", list}, m.test, m.pkg())
		switch {
		case bytes.Contains(out, []byte("[build failed]")), bytes.Contains(out, []byte("[setup failed]")):
			return fmt.Errorf("it does not compile:\n%s", out)
		case err != nil:
			return nil //nolint:nilerr // the test has noticed
		}
	}
	return fmt.Errorf("%s passes %d times", m.test, attempts)
}

// attempts is how often a test may miss a mutant. Most catch theirs at once; those that look for an
// interleaving under load do so nearly always.
const attempts = 4

func test(flags []string, pattern string, pkgs ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	args := append([]string{"test", "-short", "-count=1", "-timeout=1m", "-vet=off", "-run", pattern}, flags...)
	return exec.CommandContext(ctx, "go", append(args, pkgs...)...).CombinedOutput()
}
