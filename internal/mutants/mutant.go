package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

const (
	// attempts is how often a test may miss a mutant. Most catch theirs at once; those that look for an
	// interleaving under load do so nearly always.
	attempts = 4

	buildTime    = 10 * time.Minute // an error, when it takes longer: all that are merged take a minute or two
	runTime      = time.Minute      // the test has failed, when it takes longer: a broken rule may hang
	unbrokenTime = 5 * time.Minute  // for all tests of a package
)

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

// broken returns the mutant's file as it would have it. The module is at root.
func (m mutant) broken(root string) ([]byte, error) {
	src, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(src), m.old); n != 1 {
		return nil, fmt.Errorf("its text occurs %d times in %s", n, m.file)
	}
	if m.old == m.new {
		return nil, errors.New("it changes nothing")
	}
	return []byte(strings.Replace(string(src), m.old, m.new, 1)), nil
}

// build builds the tests that must notice the mutant, and no other, in dir, which it makes.
func (m mutant) build(dir string) (binary, error) {
	src, err := m.broken(".")
	if err != nil {
		return binary{}, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return binary{}, err
	}
	broken := filepath.Join(dir, "broken.go")
	if err := os.WriteFile(broken, src, 0o600); err != nil {
		return binary{}, err
	}
	abs, err := filepath.Abs(filepath.FromSlash(m.file))
	if err != nil {
		return binary{}, err
	}
	list, err := writeOverlay(dir, map[string]string{abs: broken})
	if err != nil {
		return binary{}, err
	}
	b := binary{pkg: m.pkg(), file: filepath.Join(dir, "mutant.test"), number: -1}
	return b, build(list, b.file, b.pkg)
}

// try returns how the mutant was caught, or an error when it was not.
func (m mutant) try(b binary) (string, error) {
	for range attempts {
		o, err := b.run(m.test, runTime)
		switch {
		case err != nil:
			return "", err
		case o.end == timedOut:
			return "caught, by a time-out", nil
		case o.end == failed:
			return "caught", nil
		case bytes.Contains(o.out, []byte("no tests to run")):
			return "", fmt.Errorf("%s has no test %s", b.pkg, m.test)
		}
	}
	return "", fmt.Errorf("%s passes %d times", m.test, attempts)
}

// A binary is the tests of a package.
type binary struct {
	pkg    string
	file   string
	number int // of the mutant that it is to be, -1 for the code as it was built
}

// build builds the tests of packages, out being a file or a directory. It leaves out tables for debuggers, which
// take a good part of the time. A package at the root of a nested module is built there.
func build(overlay, out string, pkgs ...string) error {
	var own []string
	for _, pkg := range pkgs {
		if _, err := os.Stat(filepath.Join(filepath.FromSlash(pkg), "go.mod")); err != nil {
			own = append(own, pkg)
			continue
		}
		if err := buildIn(pkg, overlay, out, "."); err != nil {
			return err
		}
	}
	if len(own) == 0 {
		return nil
	}
	return buildIn(".", overlay, out, own...)
}

// buildIn builds the tests of packages of the module in a directory.
func buildIn(module, overlay, out string, pkgs ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), buildTime)
	defer cancel()
	args := append([]string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", overlay, "-o", out}, pkgs...)
	cmd := exec.CommandContext(ctx, "go", args...)
	if module != "." {
		cmd.Dir = filepath.FromSlash(module)
		cmd.Env = append(cmd.Environ(), "GOWORK=off")
	}
	said, err := cmd.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("building the tests takes longer than %v", buildTime)
	case err != nil:
		return fmt.Errorf("the tests do not build: %w\n%s", err, said)
	}
	return nil
}

// An end is how a run of tests has ended.
type end string

const (
	passed   end = "pass"
	failed   end = "fail"
	timedOut end = "take too long"
)

// An outcome is what a run of tests has come to.
type outcome struct {
	end end
	out []byte
}

// run runs the tests of the pattern. They look at the time themselves; an error is when they were not run or
// have not even noticed that it is over.
func (b binary) run(pattern string, limit time.Duration) (outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*limit)
	defer cancel()
	file, err := filepath.Abs(b.file)
	if err != nil {
		return outcome{}, err
	}
	cmd := exec.CommandContext(ctx, file, "-test.short", "-test.paniconexit0", "-test.timeout="+limit.String(), "-test.run="+pattern)
	cmd.Dir = filepath.FromSlash(b.pkg)
	cmd.Env = append(cmd.Environ(), fmt.Sprintf("%s=%d", chosenBy, b.number))
	cmd.WaitDelay = time.Second // what the tests have started may hold the output
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return outcome{}, fmt.Errorf("%s was stopped after %v, and did not stop itself after %v", pattern, 2*limit, limit)
	case bytes.Contains(out, []byte("panic: test timed out after ")):
		return outcome{timedOut, out}, nil
	case errors.As(err, &exit):
		return outcome{failed, out}, nil
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return outcome{}, err
	}
	return outcome{passed, out}, nil
}
