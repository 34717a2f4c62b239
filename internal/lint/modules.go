package lint

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// CheckModules reads the modules below the root of the tree and returns what breaks a
// rule, a sentence each, sorted: the root requires exactly the modules of the table
// required, and each other module is in an array of .ci/run whose modules a step checks.
func CheckModules(root fs.FS) ([]string, error) {
	faults, err := checkRequired(root)
	if err != nil {
		return nil, err
	}
	text, err := fs.ReadFile(root, ".ci/run")
	if err != nil {
		return nil, err
	}
	tested, workspace := arrays(string(text))
	work, err := workModules(root)
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || path.Base(name) != "go.mod" {
			if err == nil && d.IsDir() && name != "." && (leftOut(d.Name()) || d.Name() == "node_modules") {
				return fs.SkipDir
			}
			return err
		}
		dir := path.Dir(name)
		switch {
		case dir == ".", dir == "tools":
		case !slices.Contains(tested, dir):
			faults = append(faults, fmt.Sprintf("%s: no step of .ci/run checks this module", name))
		case slices.Contains(work, dir) != slices.Contains(workspace, dir):
			faults = append(faults, fmt.Sprintf("%s: go.work and workspace_modules of .ci/run do not agree on it", name))
		}
		return nil
	})
	slices.Sort(faults)
	return slices.Compact(faults), err
}

// checkRequired compares the requirements of the root with the table.
func checkRequired(root fs.FS) ([]string, error) {
	text, err := fs.ReadFile(root, "go.mod")
	if err != nil {
		return nil, err
	}
	var faults []string
	seen := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^(?:\t|require )([a-z][^ (]*) v\S+`).FindAllStringSubmatch(string(text), -1) {
		seen[found[1]] = true
		if _, ok := required[found[1]]; !ok {
			faults = append(faults, fmt.Sprintf("go.mod: %s reaches everyone who imports the cache: argue for it as CONTRIBUTING.md says, then add it to the table required of internal/lint/rules.go", found[1]))
		}
	}
	for module := range required {
		if !seen[module] {
			faults = append(faults, fmt.Sprintf("go.mod: %s is in the table required of internal/lint/rules.go only", module))
		}
	}
	return faults, nil
}

// arrays returns the modules that the arrays of .ci/run have which are used, and those of
// workspace_modules.
func arrays(script string) (tested, workspace []string) {
	for _, found := range regexp.MustCompile(`(?m)^readonly (\w+_modules)=\(([^)]*)\)`).FindAllStringSubmatch(script, -1) {
		if !strings.Contains(script, `for dir in "${`+found[1]+`[@]}"`) {
			continue
		}
		modules := strings.Fields(found[2])
		tested = append(tested, modules...)
		if found[1] != "workspace_modules" {
			continue
		}
		for _, dir := range modules {
			// Of a module of go.work, the tests are run by a pattern, not by the array
			// alone.
			if strings.Contains(script, " ./"+dir+"/...") {
				workspace = append(workspace, dir)
			}
		}
	}
	return tested, workspace
}

// workModules returns the directories of the modules of go.work; without that file, none.
func workModules(root fs.FS) ([]string, error) {
	if _, err := fs.Stat(root, "go.work"); err != nil {
		return nil, nil //nolint:nilerr // without it, each module stands alone
	}
	text, err := fs.ReadFile(root, "go.work")
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, found := range regexp.MustCompile(`(?m)^(?:\t|use )(\.\S*)`).FindAllStringSubmatch(string(text), -1) {
		dirs = append(dirs, path.Clean(found[1]))
	}
	return dirs, nil
}
