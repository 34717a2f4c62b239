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
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"
)

// all is every mutant there is.
var all = slices.Concat(rules, cacheRules, precisionRules, sharedRules, joinRules, intentRules, inspectRules, verifyRules,
	computationRules, commitsRules, boundsRules, keyRules, hiddenRules, verifyingRules, fleetRules, valuesRules, compatRules, attackRules, attack2Rules, adminRules, httpRules, transportRules, olderRules, edgeRules, footprintRules, footprintUnitRules, seamRules, pgxRules, computedRules, libraryRules, policyRules, entityRules, payloadRules, versionRules, atRuntimeRules, footprintFirstRules, rowHookRules, computedSharedRules, tenantRules, linearRules, batchLeaseRules, trapRules, surroundingRules, expressionRules, hostileRules, ancestorRules)

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
	binaries, err := buildAll(dir, chosen)
	if err != nil {
		return err
	}
	fmt.Printf("built in %v\n", time.Since(start).Round(time.Second))
	// Of a package whose tests fail by themselves nothing is proven, of the others it is.
	unproven := unbroken(binaries, chosen)
	fmt.Printf("tried without a mutant after %v\n", time.Since(start).Round(time.Second))
	bad := judge(dir, chosen, binaries)
	fmt.Printf("%d mutants, %d not caught, in %v\n", len(chosen), bad, time.Since(start).Round(time.Second))
	if bad > 0 {
		return errors.Join(unproven, fmt.Errorf("%d of %d mutants are not caught", bad, len(chosen)))
	}
	return unproven
}

// binaries are the tests of the packages, with all mutants that can be merged.
type binaries struct {
	of    map[string]binary // by the package
	apart map[int]bool      // the mutants that are not in them
}

// buildAll builds the tests of all packages. Mutants that do not compile together with the others are left out.
func buildAll(dir string, list []mutant) (binaries, error) {
	all := binaries{map[string]binary{}, map[int]bool{}}
	var pkgs []string
	for _, m := range list {
		if _, ok := all.of[m.pkg()]; !ok {
			pkgs = append(pkgs, m.pkg())
			all.of[m.pkg()] = binary{m.pkg(), filepath.Join(dir, path.Base(m.pkg())+".test"), -1}
		}
	}
	for try := 0; ; try++ {
		overlay, err := merged(filepath.Join(dir, fmt.Sprint("merged", try)), list, all.apart)
		if err != nil {
			return all, err
		}
		if err = build(overlay, dir+string(filepath.Separator), pkgs...); err == nil {
			return all, nil
		}
		again := false
		for _, found := range regexp.MustCompile(`(?m)^.*MUTANT-(\d+)\.go.*$`).FindAllStringSubmatch(err.Error(), -1) {
			i, _ := strconv.Atoi(found[1])
			if !all.apart[i] {
				again, all.apart[i] = true, true
				fmt.Printf("apart   %q: %s\n", list[i].name, found[0])
			}
		}
		if !again {
			return all, err
		}
	}
}

// unbroken runs the tests of all mutants without any: a test that fails by itself proves nothing.
func unbroken(built binaries, list []mutant) error {
	patterns := map[string]string{}
	for _, m := range list {
		if p := patterns[m.pkg()]; p != "" {
			patterns[m.pkg()] = p + "|" + m.test
		} else {
			patterns[m.pkg()] = m.test
		}
	}
	var wg sync.WaitGroup
	faults := make(chan error, len(patterns))
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for pkg, pattern := range patterns {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			o, err := built.of[pkg].run(pattern, unbrokenTime)
			if err == nil && o.end != passed {
				err = fmt.Errorf("the tests of %s %s without a mutant:\n%s", pkg, o.end, o.out)
			}
			faults <- err
		})
	}
	wg.Wait()
	close(faults)
	var all []error
	for err := range faults {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// judge tries all mutants, says what has become of them, and returns how many are not caught. It runs twice as
// many at a time as there are processors: many of the tests wait.
func judge(dir string, list []mutant, built binaries) int {
	var mu sync.Mutex
	bad := 0
	say := func(m mutant, how string, err error, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			bad++
			how = "FAIL"
		}
		fmt.Printf("%s %s %q (%s, %v)\n", how, m.pkg(), m.name, m.test, took.Round(time.Second/10))
		if err != nil {
			fmt.Printf("	%v\n", err)
		}
	}
	todo := make(chan int)
	var runners sync.WaitGroup
	var building sync.Mutex
	for range 2 * runtime.GOMAXPROCS(0) {
		runners.Go(func() {
			for i := range todo {
				m := list[i]
				start := time.Now()
				b := built.of[m.pkg()]
				b.number = i
				var err error
				if built.apart[i] {
					building.Lock()
					b, err = m.build(filepath.Join(dir, fmt.Sprint(i)))
					building.Unlock()
				}
				how := ""
				if err == nil {
					how, err = m.try(b)
				}
				if built.apart[i] {
					_ = os.Remove(b.file)
				}
				say(m, how, err, time.Since(start))
			}
		})
	}
	for i := range list {
		todo <- i
	}
	close(todo)
	runners.Wait()
	return bad
}
