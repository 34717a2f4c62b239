package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	mode    string
	time    time.Duration
	sizes   []int // KB
	servers []string
	conns   int
	http2   bool
	entries []int
	kb      int
	compare string
	write   string
	profile string
	serve   string
	dir     string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.serve != "" {
		return serve(ctx, o.serve, o.dir, out)
	}
	if o.dir, err = os.MkdirTemp("", "cascadeql-bench-"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(o.dir) }()
	if err := seed(ctx, o.dir); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	if o.mode == "entries" {
		return measureEntries(ctx, o, out)
	}
	return measureHits(ctx, o, out)
}

// parse reads the flags.
func parse(args []string) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.mode, "mode", "hits", "hits, or entries: hits among many entries")
	f.DurationVar(&o.time, "time", 3*time.Second, "how long each server is measured at each size")
	sizes := f.String("sizes", "1,10,100", "about how long the answers are, in KB, of 1, 10 and 100")
	servers := f.String("servers", strings.Join(names(), ","), "which servers are measured, beside the static ones")
	f.IntVar(&o.conns, "conns", 16, "connections of the client")
	f.BoolVar(&o.http2, "http2", false, "asks over HTTP/2 without TLS, with the client of net/http")
	entries := f.String("entries", "1000,100000", "mode entries: how many there are")
	f.IntVar(&o.kb, "kb", 10, "mode entries: about how long they are, in KB, 1 or 10")
	f.StringVar(&o.compare, "compare", "", "the folder with servers of other projects; none if empty")
	f.StringVar(&o.write, "write", "", "the file that the tables are put in, between its markers")
	f.StringVar(&o.profile, "profile", "", "writes a CPU profile of the one server in -servers at the one size in -sizes")
	f.StringVar(&o.serve, "serve", "", "for this program itself: be this server")
	f.StringVar(&o.dir, "dir", "", "for this program itself: where the data is")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	var faults []error
	o.sizes = numbers(*sizes, &faults)
	o.entries = numbers(*entries, &faults)
	for _, s := range o.sizes {
		if limits[s] == 0 {
			faults = append(faults, fmt.Errorf("-sizes has %d, which is none of 1, 10 and 100", s))
		}
	}
	o.servers = strings.Split(*servers, ",")
	for _, s := range o.servers {
		if o.serve == "" && !slices.Contains(names(), s) {
			faults = append(faults, fmt.Errorf("-servers has %q; there are %s", s, strings.Join(names(), ", ")))
		}
	}
	if !slices.Contains(drafts, o.kb) {
		faults = append(faults, fmt.Errorf("-kb is %d, neither 1 nor 10", o.kb))
	}
	if o.mode != "hits" && o.mode != "entries" {
		faults = append(faults, fmt.Errorf("-mode is %q, neither hits nor entries", o.mode))
	}
	if o.profile != "" && (len(o.servers) != 1 || len(o.sizes) != 1) {
		faults = append(faults, errors.New("-profile wants one of -servers and one of -sizes"))
	}
	if o.http2 && o.compare != "" {
		faults = append(faults, errors.New("-http2 is for our own servers, not for those of -compare"))
	}
	if o.conns < 1 || o.time < turn {
		faults = append(faults, fmt.Errorf("-conns is at least 1, and -time %v", turn))
	}
	return o, errors.Join(faults...)
}

// numbers reads a list of positive numbers.
func numbers(text string, faults *[]error) (list []int) {
	for s := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			*faults = append(*faults, fmt.Errorf("%q is no positive number", s))
		}
		list = append(list, n)
	}
	return list
}
