package watch

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// Options configure a Recorder.
type Options struct {
	// Now is the cache's clock of ages. Defaults to time.Now.
	Now func() time.Time
	// For is how long one call of Watch lasts. Defaults to 30 seconds.
	For time.Duration
	// HideIDs leaves the keys of rows out of all reports.
	HideIDs bool
	// Limits bound the memory. Each defaults to what DefaultLimits has.
	Limits Limits
}

// Limits bound what a Recorder keeps while it watches.
type Limits struct {
	Entries    int // entries indexed
	Tags       int // tags of all of them; an entry with more than a quarter is not indexed
	Removals   int // keys whose entries are gone, with the reason
	Operations int // rows of the table of operations, "(other)" left out
	Views      int // rows of the table of views
	Log        int // invalidations
	LogBytes   int // of JSON that they take, about; the last one is kept in any case
	Nodes      int // written rows and views in the cascade of one invalidation
}

// DefaultLimits take some 26 MB at worst, and about 5 MB for 10,000 entries with ten tags
// each.
var DefaultLimits = Limits{Entries: 10_000, Tags: 1 << 18, Removals: 10_000, Operations: 200, Views: 1_000, Log: 200, LogBytes: 512 << 10, Nodes: 40}

func (l Limits) withDefaults() Limits {
	def := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	def(&l.Entries, DefaultLimits.Entries)
	def(&l.Tags, DefaultLimits.Tags)
	def(&l.Removals, DefaultLimits.Removals)
	def(&l.Operations, DefaultLimits.Operations)
	def(&l.Views, DefaultLimits.Views)
	def(&l.Log, DefaultLimits.Log)
	def(&l.LogBytes, DefaultLimits.LogBytes)
	def(&l.Nodes, DefaultLimits.Nodes)
	return l
}

// A Recorder records what a cache does while somebody watches. All methods are safe for
// concurrent use, and none blocks but on other calls of the recorder.
type Recorder struct {
	opts  Options
	known filter // the keys of all entries ever stored, watched or not
	seq   atomic.Uint64
	live  atomic.Pointer[session] // nil while nobody watches
	// removing counts the pending changes that take entries out of the store.
	removing atomic.Int64

	mu     sync.Mutex // protects live against other writers, and all below
	timer  *time.Timer
	closed bool
}

// New returns a recorder that nobody watches yet.
func New(opts Options) *Recorder {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.For <= 0 {
		opts.For = 30 * time.Second
	}
	opts.Limits = opts.Limits.withDefaults()
	r := &Recorder{opts: opts}
	r.known.init()
	return r
}

// Watch keeps the recorder on for Options.For from now. It starts with nothing known.
func (r *Recorder) Watch() {
	now := r.opts.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	s := r.live.Load()
	if s == nil || s.over(now) {
		r.end()
		s = newSession(r, now)
		r.timer = time.AfterFunc(r.opts.For, func() { r.lapse(s) })
	}
	s.until.Store(now.Add(r.opts.For).UnixNano())
	r.live.Store(s)
}

// lapse ends a session that is over, and looks again later otherwise. Without it what a
// session holds would stay until the next request.
func (r *Recorder) lapse(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.live.Load() != s || r.closed {
		return
	}
	now := r.opts.Now()
	if !s.over(now) {
		r.timer.Reset(max(time.Duration(s.until.Load()-now.UnixNano()), time.Second))
		return
	}
	r.end()
}

// end drops the session. The timer holds it, too. REQUIRES: mu held.
func (r *Recorder) end() {
	r.live.Store(nil)
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
}

// Watching reports whether what is told is noted: one atomic load. It may be true for a
// moment after the last watcher's time is over.
func (r *Recorder) Watching() bool { return r.live.Load() != nil }

// Close ends the watching for good and frees what is held.
func (r *Recorder) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.end()
}

// session returns the session that is on, or nil, and the time. A session that Watch
// renews at this very moment goes on: what is told must not be lost to it.
func (r *Recorder) session() (*session, time.Time) {
	for {
		s := r.live.Load()
		if s == nil {
			return nil, time.Time{}
		}
		now := r.opts.Now()
		if !s.over(now) {
			return s, now
		}
		r.lapse(s)
	}
}

// An id stands for a key. Its hashes are seeded, so that nobody can make two keys meet in
// one.
type id [2]uint64

var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

func idOf[T ~string | ~[]byte](key T) id {
	switch k := any(key).(type) {
	case string:
		return id{maphash.String(seeds[0], k), maphash.String(seeds[1], k)}
	case []byte:
		return id{maphash.Bytes(seeds[0], k), maphash.Bytes(seeds[1], k)}
	}
	return id{}
}
