package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"time"

	"github.com/cascadeql/cascadeql/internal/trips/record"
)

// recorder is put into the module whose code is instrumented: it must be one that its
// packages can import.
//
//go:embed record/record.go
var recorder []byte

const recorderDir = "internal/trips/record"

// limit is the time for listing the packages, building the test and running it.
const limit = 10 * time.Minute

// makeTrips instruments a package of the module at root, with all of the module that it
// imports, and returns the trips that its test makes, or what they do within a function.
func makeTrips(root, pkg, test, from string) ([]trip, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "trips")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := writeOverlay(ctx, root, pkg, dir)
	if err != nil {
		return nil, err
	}
	out := filepath.Join(dir, "trips.json")
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-vet=off", "-overlay", overlay, "-run", test, "./"+pkg)
	cmd.Dir = root
	cmd.Env = append(cmd.Environ(), record.FileVariable+"="+out)
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", cmd, err, said)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("%s of %s makes no trip: %w", test, pkg, err)
	}
	return readTrips(b, from)
}

// A listed is a package as go list has it.
type listed struct {
	Dir     string
	GoFiles []string
	Module  *struct {
		Path, Dir string
		Main      bool
	}
}

// writeOverlay writes the instrumented files into dir, and returns the file that lists
// them for the build.
func writeOverlay(ctx context.Context, root, pkg, dir string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Dir,GoFiles,Module", "./"+pkg)
	cmd.Dir = root
	var faults bytes.Buffer
	cmd.Stderr = &faults
	list, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, faults.Bytes())
	}
	replace := map[string]string{}
	add := func(module, name string, text []byte) error {
		file := filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		replace[filepath.Join(module, filepath.FromSlash(name))] = file
		return os.WriteFile(file, text, 0o600)
	}
	for d := json.NewDecoder(bytes.NewReader(list)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return "", err
		}
		if p.Module == nil || !p.Module.Main {
			continue
		}
		under, err := filepath.Rel(p.Module.Dir, p.Dir)
		if err != nil {
			return "", err
		}
		if len(replace) == 0 {
			if err := add(p.Module.Dir, recorderDir+"/record.go", recorder); err != nil {
				return "", err
			}
		}
		for _, f := range p.GoFiles {
			src, err := os.ReadFile(filepath.Join(p.Dir, f))
			if err != nil {
				return "", err
			}
			name := path.Join(filepath.ToSlash(under), f)
			text, err := instrument(name, p.Module.Path+"/"+recorderDir, src)
			if err != nil {
				return "", err
			}
			if err := add(p.Module.Dir, name, text); err != nil {
				return "", err
			}
		}
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, b, 0o600)
}
