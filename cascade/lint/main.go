// Command lint says what is wrong with the cascade directives of a schema, and what they
// leave unsaid. Run it in a module that requires this one, with the files of the schema:
//
//	go run github.com/cascadeql/cascadeql/cascade/lint graph/*.graphqls
//
// A directory stands for the files below it that end in .graphql, .graphqls or .gql, but
// for those in testdata. The declarations of the directives are added if the files have
// none. Faults and findings are printed one a line, with their place. The exit status is
// 1 for a schema with faults, or that cannot be read, and for one with findings if
// -strict is given; else 0.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/cascadeql/cascadeql/cascade"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
}

var errFindings = errors.New("lint: there are findings")

func run(args []string, out io.Writer) error {
	var opts cascade.Options
	flags := flag.NewFlagSet("lint", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: lint [flags] file or directory ...")
		flags.PrintDefaults()
	}
	strict := flags.Bool("strict", false, "fail if there are findings")
	flags.StringVar(&opts.Prefix, "prefix", "", "what is put before the names of the directives")
	flags.BoolVar(&opts.Infer, "infer", false, "as Options.Infer")
	list := func(to *[]string, name, what string) {
		flags.Func(name, what, func(s string) error { *to = append(*to, strings.Split(s, ",")...); return nil })
	}
	list(&opts.PassiveDirectives, "passive", "directives that change no values, separated by commas")
	list(&opts.DirectivesCovered, "covered", "directives of which callers or conditions are accounted for, as in the options of the cache")
	list(&opts.ArgumentDirectives, "arguments", "directives on fields that change arguments")
	list(&opts.ComparableScalars, "comparable", "scalars whose values are compared by their text")
	list(&opts.OpaqueKeys, "opaque", "views and types whose keys have more spellings than their text tells")
	if err := flags.Parse(args); err != nil {
		return err
	}
	sources, err := read(flags.Args())
	if err != nil {
		return err
	}
	if len(sources) == 0 {
		flags.Usage()
		return errors.New("lint: no schema: name its files")
	}
	schema, err := load(sources, opts.Prefix)
	if err != nil {
		return fmt.Errorf("lint: %w", err)
	}
	findings, err := cascade.Lint(schema, opts)
	if err != nil {
		return err
	}
	for _, f := range findings {
		if _, err := fmt.Fprintln(out, f); err != nil {
			return err
		}
	}
	if *strict && len(findings) > 0 {
		return errFindings
	}
	return nil
}

// read returns the files and those in the directories, by name.
func read(names []string) ([]*ast.Source, error) {
	var files []string
	for _, name := range names {
		err := filepath.WalkDir(name, func(file string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && file != name && d.Name() == "testdata":
				return fs.SkipDir
			case d.IsDir():
				return nil
			}
			if file == name || slices.Contains([]string{".graphql", ".graphqls", ".gql"}, filepath.Ext(file)) {
				files = append(files, file)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("lint: %w", err)
		}
	}
	slices.Sort(files)
	var sources []*ast.Source
	for _, file := range slices.Compact(files) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("lint: %w", err)
		}
		sources = append(sources, &ast.Source{Name: file, Input: string(text)})
	}
	return sources, nil
}

// load loads a schema, with the declarations of the directives if the files have none.
func load(sources []*ast.Source, prefix string) (*ast.Schema, error) {
	declared := func(directive string) bool {
		return slices.ContainsFunc(sources, func(s *ast.Source) bool { return strings.Contains(s.Input, "directive @"+directive+"(") })
	}
	if !declared(prefix + "view") {
		sources = append(sources, &ast.Source{Name: "directives.graphql", Input: cascade.SDL(prefix)})
	}
	if !declared("cacheControl") {
		sources = append(sources, &ast.Source{Name: "cachecontrol.graphql", Input: cascade.CacheControlSDL()})
	}
	return gqlparser.LoadSchema(sources...)
}
