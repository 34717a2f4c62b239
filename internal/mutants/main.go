// Command mutants checks that the tests of the rules that matter can fail: it breaks one rule after
// the other in the source, and demands that the test named for it fails. Run it from the root of the
// module:
//
//	go run ./internal/mutants [regexp of names]
//
// Nothing in the module is written: the broken files are given to the build as an overlay. Building is
// apart from running, so that nothing but a test that fails, or that does not end, counts as one that has
// noticed: what cannot be built, in time or at all, is an error.
package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"time"
)

// all is every mutant there is.
var all = slices.Concat(rules, cacheRules, precisionRules, sharedRules, joinRules, intentRules, inspectRules, verifyRules,
	computationRules, commitsRules, boundsRules, keyRules, hiddenRules, verifyingRules, fleetRules, valuesRules, compatRules)

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
	var chosen []mutant
	var wrong []error
	for _, m := range all {
		if only.MatchString(m.name) {
			chosen = append(chosen, m)
			if _, err := m.broken("."); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", m.name, err))
			}
		}
	}
	if len(wrong) > 0 { // known without building anything
		return errors.Join(wrong...)
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	start := time.Now()
	if err := unbroken(dir, chosen); err != nil {
		return err
	}
	bad := judge(dir, chosen)
	fmt.Printf("%d mutants, %d not caught, in %v\n", len(chosen), bad, time.Since(start).Round(time.Second))
	if bad > 0 {
		return fmt.Errorf("%d of %d mutants are not caught", bad, len(chosen))
	}
	return nil
}

// unbroken runs the tests of all mutants without any: a test that fails by itself proves nothing.
func unbroken(dir string, list []mutant) error {
	patterns := map[string]string{}
	for _, m := range list {
		if p := patterns[m.pkg()]; p != "" {
			patterns[m.pkg()] = p + "|" + m.test
		} else {
			patterns[m.pkg()] = m.test
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var faults []error
	for pkg, pattern := range patterns {
		wg.Go(func() {
			b := binary{pkg: pkg, file: path.Join(dir, "unbroken-"+path.Base(pkg)+".test")}
			err := b.build("")
			if err == nil {
				var o outcome
				if o, err = b.run(pattern, unbrokenTime); err == nil && o.end != passed {
					err = fmt.Errorf("the tests of %s %s without a mutant:\n%s", pkg, o.end, o.out)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			faults = append(faults, err)
		})
	}
	wg.Wait()
	return errors.Join(faults...)
}

// judge tries all mutants, says what has become of them, and returns how many are not caught. It builds as many
// at a time as there are processors and runs twice as many: many of the tests wait.
func judge(dir string, list []mutant) int {
	type job struct {
		mutant
		binary
		built time.Duration
	}
	var mu sync.Mutex
	bad := 0
	say := func(m mutant, ok bool, format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		word := "caught"
		if !ok {
			bad++
			word = "FAIL"
		}
		fmt.Printf("%-7s %-10s %s: %s\n", word, path.Base(m.pkg()), m.name, fmt.Sprintf(format, args...))
	}
	todo, ready := make(chan int), make(chan job)
	var builders, runners sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		builders.Go(func() {
			for i := range todo {
				start := time.Now()
				b, err := list[i].build(path.Join(dir, fmt.Sprint(i)))
				if err != nil {
					say(list[i], false, "%v", err)
					continue
				}
				ready <- job{list[i], b, time.Since(start).Round(time.Second / 10)}
			}
		})
	}
	for range 2 * runtime.GOMAXPROCS(0) {
		runners.Go(func() {
			for j := range ready {
				start := time.Now()
				how, err := j.try(j.binary)
				_ = os.RemoveAll(path.Dir(j.binary.file))
				if err != nil {
					say(j.mutant, false, "%v", err)
					continue
				}
				say(j.mutant, true, "%s (%s, built in %v, run in %v)", how, j.test, j.built, time.Since(start).Round(time.Second/10))
			}
		})
	}
	for i := range list {
		todo <- i
	}
	close(todo)
	builders.Wait()
	close(ready)
	runners.Wait()
	return bad
}
