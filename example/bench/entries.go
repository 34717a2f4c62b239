package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// mostRequests bounds how many different requests a client makes beforehand.
const mostRequests = 100_000

// measureEntries measures hits among ever more entries, chosen at random, and what a
// collection costs.
//
// A collection is due when as much was allocated as is live, so its share of the CPU time
// is computed from the cost of one, and not from how many there happened to be.
func measureEntries(ctx context.Context, o *options, out io.Writer) error {
	b := &bench{options: o}
	defer b.close()
	k := kinds[indexOf("transport")]
	t, err := b.run(ctx, k)
	if err != nil {
		return err
	}
	b.targets = append(b.targets, t)
	fmt.Fprint(out, machineOf(o))
	fmt.Fprint(out, "\n| entries | bytes kept | live heap | CPU per hit | p50 | p99 | bytes allocated per hit | CPU of a collection | hits between two | share |\n|---|---|---|---|---|---|---|---|---|---|\n")
	filled := 0
	for _, n := range o.entries {
		if _, err := t.process.control(ctx, http.MethodPost, fmt.Sprintf("/debug/fill?kb=%d&from=%d&to=%d", o.kb, filled, n)); err != nil {
			return err
		}
		filled = max(filled, n)
		if err := b.measureAmong(ctx, t, filled, out); err != nil {
			return err
		}
	}
	return nil
}

// measureAmong measures hits among n entries.
func (b *bench) measureAmong(ctx context.Context, t *target, n int, out io.Writer) error {
	f := &figure{target: t}
	for range min(2*n, mostRequests) {
		f.requests = append(f.requests, post(t.process.address, "/graphql", "", entryBody(b.kb, rand.IntN(n))))
	}
	if err := f.begin(ctx); err != nil {
		return err
	}
	for range max(1, b.time/turn) {
		if err := f.turn(ctx, turn); err != nil {
			return err
		}
	}
	if err := f.end(ctx); err != nil {
		return err
	}
	after, err := t.process.state(ctx, false)
	if err != nil {
		return err
	}
	if after.Entries < int64(n) {
		return fmt.Errorf("%d of %d entries are kept", after.Entries, n)
	}
	cycle, live, err := t.collection(ctx)
	if err != nil {
		return err
	}
	requests := float64(len(f.latencies))
	allocated := float64(after.Allocated-f.before.Allocated) / requests
	between := float64(live) / allocated
	collected := cycle * time.Duration(after.Collections-f.before.Collections) // is in the CPU time of the requests
	serving := (f.cpu - collected).Seconds() / requests * between
	fmt.Fprintf(out, "| %d | %s | %s | %s | %s | %s | %.0f | %.0f ms | %.0f | %.2f %% |\n", n, mega(uint64(after.Bytes)), mega(live),
		micro(f.spent()), micro(f.quantile(.5)), micro(f.quantile(.99)), allocated, float64(cycle)/1e6, between,
		100*cycle.Seconds()/(cycle.Seconds()+serving))
	return nil
}

func mega(n uint64) string { return fmt.Sprintf("%d MB", n>>20) }

func machineOf(o *options) string {
	text, _, _ := strings.Cut(machine(o, loadAverage()), " In brackets")
	return text + "\n"
}

func indexOf(name string) int {
	for i, k := range kinds {
		if k.name == name {
			return i
		}
	}
	panic("no server is called " + name)
}

// collection returns the CPU time of a collection in a server that does nothing else, and
// the bytes that are live.
//
// It is the process's: the runtime's own figure has the time that its workers waited for
// a core.
func (t *target) collection(ctx context.Context) (cycle time.Duration, live uint64, err error) {
	const cycles = 5
	before, err := t.process.cpu()
	for range cycles {
		if err == nil {
			var s state
			s, err = t.process.state(ctx, true)
			live = s.Live
		}
	}
	if err != nil {
		return 0, 0, err
	}
	after, err := t.process.cpu()
	return (after - before) / cycles, live, err
}
