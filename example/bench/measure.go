package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"time"
)

// turn is how long a server is asked before it is the next one's turn.
const turn = 200 * time.Millisecond

// shortest is the length from which the cache compresses answers.
const shortest = 1400

// A target is a server that is measured.
type target struct {
	kind

	process *process
	static  bool
	foreign bool // not ours: it has no state, and may format JSON in its own way
	conns   []client
	http2   bool
}

// A figure is what was measured of a server at one size.
type figure struct {
	*target

	size, bytes int
	requests    [][]byte // what connections send in turn
	took        time.Duration
	cpu         time.Duration
	mallocs     uint64
	latencies   []time.Duration
	before      state
	beforeCPU   time.Duration
}

// measureHits measures the servers that o names at the sizes that it names, and prints
// tables.
func measureHits(ctx context.Context, o *options, out io.Writer) error {
	b := &bench{options: o}
	defer b.close()
	if err := b.start(ctx); err != nil {
		return err
	}
	var tables bytes.Buffer
	begun := loadAverage()
	for _, size := range o.sizes {
		figures, err := b.prepare(ctx, size)
		if o.profile != "" {
			figures = slices.DeleteFunc(figures, func(f *figure) bool { return f.static })
		}
		if err == nil {
			err = b.measure(ctx, figures)
		}
		if err != nil {
			return err
		}
		writeTable(&tables, figures)
	}
	text := machine(o, begun) + tables.String()
	fmt.Fprint(out, text)
	if o.write != "" {
		return replaceBetweenMarkers(o.write, text)
	}
	return nil
}

// A bench has the servers of a run.
type bench struct {
	*options

	targets  []*target
	uncached *target // to compare answers with
}

func (b *bench) close() {
	for _, t := range b.targets {
		t.close()
	}
	if b.uncached != nil {
		b.uncached.close()
	}
}

func (t *target) close() {
	for _, c := range t.conns {
		if c != nil {
			_ = c.Close()
		}
	}
	t.process.stop()
}

// start starts all servers. The static ones get the answers of the others as files.
func (b *bench) start(ctx context.Context) (err error) {
	if b.uncached, err = b.run(ctx, kinds[0]); err != nil {
		return err
	}
	encodings := map[string]bool{}
	for _, k := range kinds {
		if !slices.Contains(b.servers, k.name) {
			continue
		}
		t, err := b.run(ctx, k)
		if err != nil {
			return err
		}
		b.targets = append(b.targets, t)
		encodings[k.encoding] = true
	}
	if err := b.startCompared(ctx); err != nil {
		return err
	}
	for _, size := range b.sizes {
		if err := b.saveAnswers(size); err != nil {
			return err
		}
	}
	first := []*target{}
	for _, encoding := range []string{"", "gzip", "zstd"} {
		if encoding != "" && !encodings[encoding] {
			continue
		}
		k := kind{name: "static", label: "static handler", encoding: encoding}
		if encoding != "" {
			k.label += ", " + encoding
		}
		t, err := b.run(ctx, k)
		if err != nil {
			return err
		}
		t.static = true
		first = append(first, t)
	}
	b.targets = append(first, b.targets...)
	return nil
}

// run starts a server of ours and connects to it.
func (b *bench) run(ctx context.Context, k kind) (*target, error) {
	p, err := startSelf(ctx, k.name, b.dir)
	if err != nil {
		return nil, err
	}
	return b.connect(ctx, &target{kind: k, process: p})
}

func (b *bench) connect(ctx context.Context, t *target) (*target, error) {
	t.http2 = b.http2
	t.conns = make([]client, b.conns)
	if err := t.dial(ctx); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// dial makes the connections, anew if there are any. Node ends those that were idle for 5
// seconds.
func (t *target) dial(ctx context.Context) (err error) {
	for i, old := range t.conns {
		if old != nil {
			_ = old.Close()
		}
		if t.conns[i], err = dial(ctx, t.process.address, t.http2); err != nil {
			return err
		}
	}
	return nil
}

// saveAnswers writes the files of the static servers for a size, and checks that all
// servers have the same answers.
func (b *bench) saveAnswers(size int) error {
	want, err := b.uncached.answer(size)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(b.dir, staticName(size, "")), want.body, 0o600); err != nil {
		return err
	}
	for _, t := range b.targets {
		var got reply
		for range 4 { // it is stored, asked for in the encoding, and compressed
			if got, err = t.answer(size); err != nil {
				return fmt.Errorf("%s: %w", t.label, err)
			}
		}
		if err := t.check(want, got); err != nil {
			return fmt.Errorf("%s, %d KB: %w", t.label, size, err)
		}
		if got.encoding != "" {
			if err := os.WriteFile(filepath.Join(b.dir, staticName(size, t.encoding)), got.body, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

func staticName(size int, encoding string) string {
	name := fmt.Sprintf("static-%d", size)
	if encoding != "" {
		name += "." + encoding
	}
	return name
}

// answer asks once.
func (t *target) answer(size int) (reply, error) {
	return t.conns[0].ask(t.request(size), true)
}

func (t *target) request(size int) []byte {
	path := "/graphql"
	if t.static {
		path = "/" + staticName(size, t.encoding)
	}
	return post(t.process.address, path, t.encoding, feedBody(size))
}

// check compares an answer with the uncached server's. There is no reader of zstd here:
// of such an answer only its first bytes are looked at.
func (t *target) check(want, got reply) error {
	body := got.body
	switch got.encoding {
	case "":
	case "gzip":
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return err
		}
		if body, err = io.ReadAll(r); err != nil {
			return err
		}
	case "zstd":
		if !bytes.HasPrefix(body, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
			return errors.New("the answer is no zstd")
		}
		return nil
	default:
		return fmt.Errorf("the answer is in %s", got.encoding)
	}
	if t.foreign {
		var a, b any
		if err := errors.Join(json.Unmarshal(want.body, &a), json.Unmarshal(body, &b)); err != nil {
			return err
		}
		if !reflect.DeepEqual(a, b) {
			return fmt.Errorf("the answer is\n%.300s\nwant\n%.300s", body, want.body)
		}
		return nil
	}
	if !bytes.Equal(body, want.body) {
		return fmt.Errorf("the answer is\n%.300s\nwant\n%.300s", body, want.body)
	}
	return nil
}

// prepare returns what is to be measured at a size: an encoding only where answers are
// long enough to be kept in it.
func (b *bench) prepare(ctx context.Context, size int) (figures []*figure, err error) {
	for _, t := range b.targets {
		if t.static && t.encoding != "" {
			if _, err := os.Stat(filepath.Join(b.dir, staticName(size, t.encoding))); errors.Is(err, os.ErrNotExist) {
				continue
			}
		}
		if t.foreign {
			if err := t.dial(ctx); err != nil {
				return nil, err
			}
		}
		r, err := t.answer(size)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.label, err)
		}
		if r.encoding != t.encoding {
			if r.length < shortest {
				continue
			}
			return nil, fmt.Errorf("%s: an answer of %d bytes is in the encoding %q", t.label, r.length, r.encoding)
		}
		f := &figure{target: t, size: size, bytes: r.length, requests: [][]byte{t.request(size)}}
		if err := f.begin(ctx); err != nil {
			return nil, err
		}
		figures = append(figures, f)
	}
	return figures, nil
}

// begin warms the server up, and notes what it has spent until now.
func (f *figure) begin(ctx context.Context) (err error) {
	warm := turn / 2
	if f.foreign {
		warm = 10 * turn // Node compiles what it runs often
	}
	if err := f.turn(ctx, warm); err != nil {
		return err
	}
	f.latencies, f.took = nil, 0
	if !f.foreign {
		if f.before, err = f.process.state(ctx, false); err != nil {
			return err
		}
	}
	f.beforeCPU, err = f.process.cpu()
	return err
}

// end notes what the server has spent since.
func (f *figure) end(ctx context.Context) error {
	cpu, err := f.process.cpu()
	if err != nil {
		return err
	}
	f.cpu = cpu - f.beforeCPU
	if f.foreign {
		return nil
	}
	after, err := f.process.state(ctx, false)
	if err != nil {
		return err
	}
	f.mallocs = after.Mallocs - f.before.Mallocs
	if hits := after.Hits - f.before.Hits; f.cached && hits != uint64(len(f.latencies)) {
		return fmt.Errorf("%s: %d of %d answers were hits", f.label, hits, len(f.latencies))
	}
	return nil
}

// measure asks the servers in turns.
func (b *bench) measure(ctx context.Context, figures []*figure) error {
	var profile chan error
	if b.profile != "" {
		profile = make(chan error, 1)
		go func() { profile <- b.saveProfile(ctx, figures[0]) }()
	}
	for range max(1, b.time/turn) {
		for _, f := range figures {
			if err := f.turn(ctx, turn); err != nil {
				return fmt.Errorf("%s: %w", f.label, err)
			}
		}
	}
	for _, f := range figures {
		if err := f.end(ctx); err != nil {
			return err
		}
	}
	if profile != nil {
		return <-profile
	}
	return nil
}

func (b *bench) saveProfile(ctx context.Context, f *figure) error {
	p, err := f.process.control(ctx, "GET", fmt.Sprintf("/debug/pprof/profile?seconds=%d", max(1, int(b.time.Seconds()))))
	if err != nil {
		return err
	}
	return os.WriteFile(b.profile, p, 0o600)
}

// turn asks a server by all connections at once, each as soon as it has its answer.
func (f *figure) turn(ctx context.Context, d time.Duration) error {
	if f.foreign {
		if err := f.dial(ctx); err != nil {
			return err
		}
	}
	var wg sync.WaitGroup
	lists, errs := make([][]time.Duration, len(f.conns)), make([]error, len(f.conns))
	begun := time.Now()
	for i, c := range f.conns {
		wg.Go(func() {
			for n, now := i, begun; now.Sub(begun) < d && ctx.Err() == nil; n += len(f.conns) {
				a, err := c.ask(f.requests[n%len(f.requests)], false)
				if err == nil && f.bytes > 0 && a.length != f.bytes {
					err = fmt.Errorf("an answer has %d bytes, want %d", a.length, f.bytes)
				}
				if err != nil {
					errs[i] = err
					return
				}
				then := time.Now()
				lists[i] = append(lists[i], then.Sub(now))
				now = then
			}
		})
	}
	wg.Wait()
	f.took += time.Since(begun)
	f.latencies = append(f.latencies, slices.Concat(lists...)...)
	return errors.Join(errors.Join(errs...), ctx.Err())
}
