// Command trips counts what a request costs its reader: how many functions it enters, in
// how many files, and how often it goes from one file to another. Run it from the root of
// the module:
//
//	go run ./internal/trips              the table, in Markdown
//	go run ./internal/trips -trip NAME   one trip, file by file
//
// With -trip, -files and -across are bounds: a trip through more files, or with more calls
// across files, is an error.
//
// With -from FUNCTION a trip is what happens between the first entry of a function, such
// as Cache.InterceptResponse, and its end. Trips that do not enter it are left out.
//
// It instruments a copy of gqlcache and of the packages of this module that gqlcache
// imports, and runs TestTrips of gqlcache, which makes the trips. The copy is given to
// the build as an overlay: nothing in the module is written.
//
// A trip's columns:
//
//   - calls: functions and methods entered. A function literal is a part of the function
//     around it; what it calls is a call from its file.
//   - calls across files: calls whose caller, the innermost function or literal of the
//     same goroutine, is in another file. A call from elsewhere, from gqlgen say, or the
//     first one of a goroutine, has no caller.
//   - moves between files: calls, and returns, after which another file is the one to
//     read. The first file of a goroutine is a move, too.
//   - left and re-entered: moves to a file that the trip has been in before.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
)

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "trips:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, args []string) error {
	flags := flag.NewFlagSet("trips", flag.ContinueOnError)
	name := flags.String("trip", "", "print one trip, file by file")
	from := flags.String("from", "", "count between the first entry of a function, such as Cache.InterceptResponse, and its end")
	files := flags.Int("files", math.MaxInt, "the most files that the trip may go through")
	across := flags.Int("across", math.MaxInt, "the most calls across files that the trip may have")
	if err := flags.Parse(args); err != nil {
		return err
	}
	trips, err := makeTrips(".", "gqlcache", "^TestTrips$", *from)
	if err != nil {
		return err
	}
	if *name == "" {
		return table(w, "gqlcache", trips)
	}
	i := slices.IndexFunc(trips, func(t trip) bool { return t.name == *name })
	if i < 0 {
		var names []error
		for _, t := range trips {
			names = append(names, errors.New(t.name))
		}
		return fmt.Errorf("no trip %q, there are:\n%w", *name, errors.Join(names...))
	}
	t := trips[i]
	if len(t.files) > *files || t.across > *across {
		return errors.Join(fmt.Errorf("trip %q goes through %d files with %d calls across files, at most %d and %d are allowed", t.name, len(t.files), t.across, *files, *across), t.list(w))
	}
	return t.list(w)
}
