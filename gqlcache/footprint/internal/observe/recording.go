package observe

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/analysis"
	"github.com/cascadeql/cascadeql/gqlcache/footprint/internal/keycheck"
)

// The bounds of a recording.
const (
	// maxTags bounds what one computation depends on. Beyond, it is unknown.
	maxTags = 1 << 16
	// maxEnded bounds the executions that have ended and are remembered for fields that no
	// statement explains.
	maxEnded = 4096
	// maxEndedTags bounds what these hold.
	maxEndedTags = 1 << 20
	// pruneEvery is how often those that nobody needs are looked for.
	pruneEvery = 256
	// maxNames bounds the names of fields.
	maxNames = 256
	// maxPointers bounds the results that are remembered.
	maxPointers = 4096
	// maxObjects bounds the results of a field that nothing explains so far.
	maxObjects = 256
	// maxExecutions is how many executions a recording refers to before it takes their tags.
	maxExecutions = 64
	// maxAnalyses bounds the statements that a footprint names.
	maxAnalyses = 32
)

// A registry knows which recordings and executions run. Its counter orders the starts and
// ends of both, and of fields: time could not tell which of two came first.
//
// A statement without a recording belongs to all recordings that run at any moment between
// its start and its end:
//
//   - A begins. A loader's statement starts without a context, for A. B begins while its
//     rows are open, and waits for the same loader. What B answers was read by a statement
//     that started before B: so B gets it, too, and B's number is that of the clock when
//     the statement started, since a change after it is one that B may lack.
//   - A statement starts while nobody records, and its rows are not observed. B begins
//     while they are open: B depends on the tables that it reads.
//
// Starts, ends and beginnings are under one lock, so that each statement is found by B, or
// finds B.
type registry struct {
	mu         sync.Mutex
	counter    uint64
	recordings []*Recording
	running    atomic.Int64                // len(recordings)
	open       *Execution                  // a list
	ended      []*Execution                // while recordings run, in the order of their ends
	size       int                         // what ended holds, in tags
	lost       uint64                      // what ended then or before is not in ended any more
	before     map[<-chan struct{}]*before // by Requester.Request
	crowded    bool                        // a request had no room in before
}

var reg registry

// A Recording collects what one computation reads.
type Recording struct {
	start   Start
	watched []*Observer
	parent  *Recording
	early   *Early
	ctx     context.Context // that it began with, for findings
	// Late is called when a statement starts on the recording's context after End: whoever
	// asked for it may still change what was stored. It must be set before End is called,
	// may be called more than once, and must not block.
	Late func()

	// The fields below are guarded by reg.mu.

	began      uint64 // by reg.counter
	over       bool
	executions []*Execution
	ownOpen    int                     // executions of its context that run
	ownEnded   uint64                  // when the last of them ended
	explained  map[string]explanations // by the names of fields
	odd        []oddField              // that nothing has explained when they returned
	borrowed   []borrowed
	oddMore    bool // more than maxNames
	missed     bool // the log did not reach back far enough
	returned   map[unsafe.Pointer]struct{}

	// unprojected says that Unproject was called.
	unprojected atomic.Bool

	// checking guards the begin of the check, which is fill.
	checking sync.Once
	fill     *keycheck.Fill

	// mu guards what was collected.
	mu  sync.Mutex
	sum sum
}

// Start is what a computation knows when it begins.
type Start struct {
	// Since is what Generation returned when the request arrived.
	Since uint64
	// Number is that of the clock of Sink when the request arrived: the answer has every
	// change with such a number or a smaller one.
	Number uint64
	Sink   Sink
	// Coarse asks for Footprint.Coarse.
	Coarse bool
	// Around says that the computation may be made of what the recordings around it have
	// read, up to its end: their statements count as its own, but in Footprint.Statements.
	Around bool
	// Part says that the computation is a part of the one around it, whose key must explain
	// its statements, too.
	Part bool
	// Check begins the check of the computation's key, nil for none. It is called at most
	// once, when the first value is to be judged. Field returns the path of the field that
	// a context belongs to, without places in lists; nil for unknown.
	Check func() *keycheck.Fill
	Field func(context.Context) string
	// Projects returns the projections that hold for a statement which was sent with a
	// context of the computation. It may be nil, must not block, and may be called
	// concurrently.
	Projects func(context.Context) []Projection
}

// sum is what executions have added up to.
type sum struct {
	tags []tag.Tag
	// hidden are tags that do not matter by the recording's projections.
	hidden   []tag.Tag
	coarse   []tag.Tag
	analyses []*analysis.Statement
	merged   int // length after the last merge, of tags and hidden
	number   uint64
	// mergedCoarse is that of coarse. A request that streams for hours has one Early.
	mergedCoarse int
	unknown      string
	uncommitted  string
	volatile     string
	settings     []string
	statements   int
	orphans      int
}

// A Footprint is what a computation has read.
type Footprint struct {
	// Tags are what the answer depends on, merged.
	Tags []tag.Tag
	// Coarse are the tags of the tables that were read, which rely on no shape of this
	// process: with them another instance can tell whether the answer is still true.
	Coarse []tag.Tag
	// Analyses are the statements, each once, as far as they are not too many.
	Analyses []*analysis.Statement
	// Unknown says why the answer depends on anything, "" when it does not.
	Unknown string
	// Number is the Start's, or a lower one: that of the oldest snapshot which was read.
	Number uint64
	// Uncommitted says why the answer must not be stored, "" when it may be: the text of a
	// statement that read what its own connection had changed and not committed, or that the
	// connection reads from a replica.
	Uncommitted string
	// Volatile names a function whose result was read and is no function of data, "" for
	// none. Settings are those of the session that were read.
	Volatile string
	Settings []string
	// Statements is how many statements belong to the computation, Orphans how many of
	// these came without its context.
	Statements, Orphans int
	// Unexplained are fields that returned something although no statement ran meanwhile:
	// where the values come from is not known.
	Unexplained []string
	// Verdict is that of the check of the computation's key.
	Verdict keycheck.Verdict
}

// borrowed is a field that waited while a statement of another recording ran, and none of
// its own.
type borrowed struct {
	field string
	from  *Execution
}

type recordingKey struct{}

// outside stands for no recording in a context.
var outside = &Recording{over: true}

// Outside marks the context of what belongs to no computation, such as a job: what it
// reads is nobody's, and what it writes counts.
func Outside(ctx context.Context) context.Context {
	return context.WithValue(ctx, recordingKey{}, outside)
}

// Begin starts a recording of what is read through the observers. It must be called before
// anything is read. Within another recording's context, statements belong to both.
func Begin(ctx context.Context, start Start, observers ...*Observer) (context.Context, *Recording) {
	r := &Recording{start: start, watched: observers, ctx: ctx}
	if r.parent, _ = ctx.Value(recordingKey{}).(*Recording); r.parent == outside {
		r.parent = nil
	}
	r.sum.number = start.Number
	r.early, _ = ctx.Value(EarlyKey).(*Early)
	request := (&attachment{start.Sink}).request(ctx)
	reg.mu.Lock()
	defer reg.mu.Unlock()
	reg.counter++
	r.began = reg.counter
	reg.takeShared(r)
	reg.recordings = append(reg.recordings, r)
	reg.running.Store(int64(len(reg.recordings)))
	for e := reg.open; e != nil; e = e.next {
		if e.everybodys && r.watches(e.s.o) {
			r.add(e)
		}
	}
	reg.takeBefore(r, request)
	return context.WithValue(ctx, recordingKey{}, r), r
}

// takeShared gives a recording that begins, of observers with ByTime, what has ended while
// computations ran that still run: one of them may lead a flight that it joins.
//
//	A begins a singleflight, and its statement ends
//	                                                   B begins, and joins it
//	A's function returns what it has made of the rows, to both
//
// REQUIRES: g.mu is held, and the recording is not among those that run.
func (g *registry) takeShared(r *Recording) {
	if len(g.recordings) == 0 || !slices.ContainsFunc(r.watched, (*Observer).byTime) {
		return
	}
	first := g.counter
	for _, other := range g.recordings {
		first = min(first, other.began)
	}
	r.missed = r.missed || g.lost >= first
	for i := len(g.ended) - 1; i >= 0 && g.ended[i].ended >= first; i-- {
		if e := g.ended[i]; e.s.o.byTime() && r.watches(e.s.o) {
			r.add(e)
		}
	}
}

func (o *Observer) byTime() bool { return o.opts.Attribution == ByTime }

// watches reports whether statements without a context may be the recording's.
func (r *Recording) watches(o *Observer) bool { return slices.Contains(r.watched, o) }

// add makes an execution the recording's. REQUIRES: reg.mu is held.
func (r *Recording) add(e *Execution) {
	if slices.Contains(r.executions[max(0, len(r.executions)-maxExecutions):], e) {
		return
	}
	r.executions = append(r.executions, e)
	if len(r.executions) < maxExecutions {
		return
	}
	kept := r.executions[:0]
	for _, e := range r.executions {
		if e.ended != 0 {
			r.take(e)
		} else {
			kept = append(kept, e)
		}
	}
	clear(r.executions[len(kept):])
	r.executions = kept
}

// start adds an execution to those that run, and to the recordings that it belongs to. It
// reports whether its own recording is over, with its callback.
func (g *registry) start(e *Execution, own *Recording) (late func(), over bool) {
	if own == outside {
		return nil, false
	}
	var request <-chan struct{}
	if own == nil {
		request = e.s.o.requestOf(e.ctx)
	}
	kept, first := false, false
	defer func() { // not under the lock: a context may call the function at once
		if first {
			context.AfterFunc(e.ctx, func() { g.forget(request) })
		}
	}()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counter++
	e.everybodys = own == nil || e.s.o.byTime()
	if e.next = g.open; e.next != nil {
		e.next.prev = e
	}
	g.open, e.listed = e, true
	if own != nil {
		e.own = own
		if own.over {
			late, over = own.Late, true
		}
		for r := own; r != nil; r = r.parent {
			if !r.over {
				e.observed = true
				r.ownOpen++
				r.add(e)
			}
		}
	}
	if e.everybodys {
		for _, r := range g.recordings {
			if r.watches(e.s.o) {
				e.orphan = e.orphan || own == nil
				r.add(e)
			}
		}
	}
	if request != nil {
		kept, first = g.keep(e, request)
	}
	e.observed = e.observed || kept || len(g.recordings) > 0
	return late, over
}

// end takes an execution from those that run.
func (g *registry) end(e *Execution) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !e.listed {
		return
	}
	g.counter++
	e.listed, e.ended = false, g.counter
	if e.next != nil {
		e.next.prev = e.prev
	}
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		g.open = e.next
	}
	e.next, e.prev = nil, nil
	for r := e.own; r != nil; r = r.parent {
		if !r.over && r.ownOpen > 0 {
			r.ownOpen--
			r.ownEnded = g.counter
		}
	}
	if len(g.recordings) == 0 {
		return
	}
	if len(g.ended)%pruneEvery == pruneEvery-1 {
		g.prune()
	}
	n := e.size()
	if len(g.ended) >= maxEnded || g.size+n > maxEndedTags && len(g.ended) > 0 {
		half := (len(g.ended) + 1) / 2
		g.lost = g.ended[half-1].ended
		g.drop(half)
	}
	g.ended = append(g.ended, e)
	g.size += n
}

// prune forgets what has ended before all recordings that run began.
func (g *registry) prune() {
	first := g.counter
	for _, r := range g.recordings {
		first = min(first, r.began)
	}
	n := 0
	for n < len(g.ended) && g.ended[n].ended < first {
		n++
	}
	g.drop(n)
}

// drop forgets the first n of those that have ended.
func (g *registry) drop(n int) {
	for _, e := range g.ended[:n] {
		g.size -= e.size()
	}
	rest := copy(g.ended, g.ended[n:])
	clear(g.ended[rest:])
	g.ended = g.ended[:rest]
}

// size is what an execution that has ended holds, in tags.
func (e *Execution) size() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return 16 + len(e.rd.tags) + len(e.rd.hidden)
}

// Enter is called before a resolver. What it returns is for Leave.
func (r *Recording) Enter() uint64 {
	reg.mu.Lock()
	defer reg.mu.Unlock()
	reg.counter++
	return reg.counter
}

// Leave is called after a resolver has returned something, nil for nothing. A field is
// explained when a statement of the recording ran meanwhile, or when it returned the very
// object that such a field has returned. Any other one may show what a statement of
// somebody else has read, while the resolver waited for it: all that ran meanwhile belong
// to the recording. Where there is none, the value was read at another time, unless a field
// that is explained returns the very object later:
//
//	Post.author of post 1 waits for the loader of its request   Post.author of post 7
//	the loader's statement ends, with user 1 in its cache
//	(is not scheduled yet)                                       is entered, and asks for user 1
//	                                                             has it from the cache, and leaves
//	returns user 1, and leaves
func (r *Recording) Leave(name string, entered uint64, returned any) {
	r.leave(name, true, entered, returned)
}

// LeaveRoot is Leave for a field of the operation's root type. Objects of a list are often
// loaded together, so a statement that ran for one of them explains the field of them all.
// No resolver of a root field loads for another one:
//
//	a: user(id: 1) sends a statement      b: user(id: 2) has its user from a map of the process
//
// Nothing says what the second one depends on.
func (r *Recording) LeaveRoot(name string, entered uint64, returned any) {
	r.leave(name, false, entered, returned)
}

func (r *Recording) leave(name string, together bool, entered uint64, returned any) {
	at := identity(returned)
	var key objectKey
	if together {
		key = keyOf(returned)
	}
	reg.mu.Lock()
	defer reg.mu.Unlock()
	if r.over {
		return
	}
	if r.ownOpen > 0 || r.ownEnded >= entered {
		if together {
			r.explain(name, key, entered)
		}
		r.remember(at)
		return
	}
	if at != nil {
		if _, ok := r.returned[at]; ok {
			return
		}
	}
	if entered <= reg.lost {
		r.missed = true
	}
	found := false
	var from *Execution
	take := func(e *Execution) {
		if r.watches(e.s.o) {
			r.add(e)
			found = true
			if e.own != nil && from == nil {
				from = e
			}
		}
	}
	for e := reg.open; e != nil; e = e.next {
		take(e)
	}
	for i := len(reg.ended) - 1; i >= 0 && reg.ended[i].ended >= entered; i-- {
		take(reg.ended[i])
	}
	if found { // the statements are the recording's now, and so is what they have read
		r.borrow(name, from, returned)
		r.remember(at)
		return
	}
	if !absent(returned) {
		r.wonder(name, at, key)
	}
}

// An oddField is a field that returned something while no statement ran.
type oddField struct {
	name string
	// objects are what it returned: it is explained if a field that is explained returns
	// each of them too. A nil among them is a value that no other field can return.
	objects []unsafe.Pointer
	// keys are those of the objects, as far as they have one.
	keys []objectKey
}

// wonder notes a field that nothing explains so far, and what it has returned.
func (r *Recording) wonder(name string, at unsafe.Pointer, key objectKey) {
	i := slices.IndexFunc(r.odd, func(f oddField) bool { return f.name == name })
	if i < 0 {
		if len(r.odd) == maxNames {
			r.oddMore = true
			return
		}
		i = len(r.odd)
		r.odd = append(r.odd, oddField{name: name})
	}
	f := &r.odd[i]
	if key.value != nil && len(f.keys) < maxObjects {
		f.keys = append(f.keys, key)
	}
	if n := len(f.objects); n > 0 && (f.objects[0] == nil || f.objects[n-1] == at) {
		return
	}
	if at == nil || len(f.objects) == maxObjects {
		f.objects = []unsafe.Pointer{nil}
		return
	}
	f.objects = append(f.objects, at)
}

// explains reports whether the fields that statements explain account for an odd one.
func (r *Recording) explains(f oddField) bool {
	if _, ok := r.explained[f.name]; ok {
		return true // but see unread
	}
	return !slices.ContainsFunc(f.objects, func(at unsafe.Pointer) bool {
		_, ok := r.returned[at]
		return !ok
	})
}

// Explain says that what the computation of a context has just got, from a value that was
// kept, has been read by statements which it depends on from here on: the fields that are
// being resolved are explained.
func Explain(ctx context.Context) {
	own, _ := ctx.Value(recordingKey{}).(*Recording)
	if own == nil {
		return
	}
	reg.mu.Lock()
	defer reg.mu.Unlock()
	reg.counter++
	for r := own; r != nil; r = r.parent {
		if !r.over {
			r.ownEnded = reg.counter
		}
	}
}

// explain notes a field that a statement explains, and the key of the object.
func (r *Recording) explain(name string, key objectKey, entered uint64) {
	x, ok := r.explained[name]
	if !ok {
		if len(r.explained) >= maxNames {
			return
		}
		if r.explained == nil {
			r.explained = map[string]explanations{}
		}
	}
	r.explained[name] = x.with(key, r.executions, entered)
}

// borrow notes a field that has returned something while a statement of another recording
// ran. From then on the places that the statement's text comes from are looked for.
func (r *Recording) borrow(name string, from *Execution, returned any) {
	if from == nil || absent(returned) || len(r.borrowed) == maxNames ||
		slices.ContainsFunc(r.borrowed, func(b borrowed) bool { return b.field == name }) {
		return
	}
	r.borrowed = append(r.borrowed, borrowed{name, from})
	if from.known != nil {
		from.known.shared.Store(true)
	}
}

// lent reports the fields that statements of others explain.
func lent(list []borrowed) {
	for _, b := range list {
		f := Finding{Kind: SharedStatement, Text: b.field, Why: "no statement of its computation ran while the field was resolved: it depends on what those of others read meanwhile, such as " + b.from.s.o.normalized(b.from.text)}
		if b.from.known != nil {
			if at := b.from.known.place.Load(); at != nil {
				f.Place = *at
			}
		}
		b.from.s.o.found(context.Background(), f)
	}
}

// remember notes an object whose statements belong to the recording.
func (r *Recording) remember(at unsafe.Pointer) {
	if at == nil || len(r.returned) >= maxPointers {
		return
	}
	if r.returned == nil {
		r.returned = map[unsafe.Pointer]struct{}{}
	}
	r.returned[at] = struct{}{}
}

// identity returns where an object is. The pointer keeps it alive, so that no other one
// comes to be there. Objects without a size share one address, and functions share their
// code: they have none.
func identity(v any) unsafe.Pointer {
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Pointer:
		if rv.IsNil() || rv.Type().Elem().Size() == 0 {
			return nil
		}
	case reflect.Slice:
		if rv.Len() == 0 || rv.Type().Elem().Size() == 0 {
			return nil
		}
	case reflect.Map, reflect.Chan:
	default:
		return nil
	}
	return rv.UnsafePointer()
}

// absent reports whether a resolver returned nothing.
func absent(v any) bool {
	if v == nil {
		return true
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		return rv.IsNil()
	}
	return false
}

// End returns what was read. Rows that are still open count as not read to their end.
func (r *Recording) End() Footprint {
	reg.mu.Lock()
	if r.over {
		reg.mu.Unlock()
		return Footprint{Unknown: "the recording is over"}
	}
	r.over = true
	reg.counter++
	if i := slices.Index(reg.recordings, r); i >= 0 {
		reg.recordings = slices.Delete(reg.recordings, i, i+1)
	}
	reg.running.Store(int64(len(reg.recordings)))
	if len(reg.recordings) == 0 {
		reg.ended, reg.size, reg.lost = nil, 0, 0
	}
	executions := r.executions
	var odd []string
	var together []oddField
	for _, f := range r.odd {
		switch {
		case !r.explains(f):
			odd = append(odd, f.name)
		case len(f.keys) > 0 && len(r.explained[f.name]) > 0:
			together = append(together, f)
		}
	}
	explained := r.explained
	r.executions, r.returned, r.odd = nil, nil, nil
	shared := slices.DeleteFunc(r.borrowed, func(b borrowed) bool { _, ok := r.explained[b.field]; return ok })
	r.borrowed = nil
	missed := r.missed || r.oddMore
	reg.mu.Unlock()
	lent(shared)

	for _, e := range executions {
		r.take(e)
	}
	r.takeEarly()
	r.takeAround()
	verdict := r.endCheck()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.sum
	if missed && s.unknown == "" {
		s.unknown = "too many statements of others ran while a field waited"
	}
	for _, f := range together {
		if s.unread(explained[f.name], f.keys) {
			odd = append(odd, f.name)
		}
	}
	for _, name := range odd {
		for _, o := range r.watched {
			o.found(r.ctx, Finding{Kind: UnexplainedField, Text: name, Why: "no statement ran while the field was resolved"})
		}
	}
	if r.unprojected.Load() {
		s.tags = append(s.tags, s.hidden...)
	}
	f := Footprint{
		Tags: tag.Merge(s.tags), Coarse: tag.Merge(s.coarse), Analyses: s.analyses, Unknown: s.unknown, Number: s.number, Uncommitted: s.uncommitted,
		Volatile: s.volatile, Settings: s.settings, Statements: s.statements, Orphans: s.orphans, Unexplained: odd,
	}
	if len(f.Tags) > maxTags && f.Unknown == "" {
		f.Unknown = "it depends on too many rows"
	}
	f.Verdict = verdict
	return f
}

// take adds what an execution has read.
func (r *Recording) take(e *Execution) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.sum
	s.number = min(s.number, e.asOf.numbers.of(r.start.Sink))
	s.statements++
	if e.own != r {
		s.orphans++
	}
	if s.volatile == "" {
		s.volatile = e.a.Volatile
	}
	for _, name := range e.a.Settings {
		if !slices.Contains(s.settings, name) {
			s.settings = append(s.settings, name)
		}
	}
	if len(s.analyses) < maxAnalyses && !slices.Contains(s.analyses, e.a) {
		s.analyses = append(s.analyses, e.a)
	}
	if r.start.Coarse {
		if s.coarse = e.coarse(s.coarse); len(s.coarse) > 2*s.mergedCoarse+256 {
			s.coarse = tag.Merge(s.coarse)
			s.mergedCoarse = len(s.coarse)
		}
	}
	unknown, uncommitted := e.collect(s, e.own == r)
	if s.unknown == "" {
		s.unknown = unknown
	}
	if s.uncommitted == "" {
		s.uncommitted = uncommitted
	}
	if len(s.tags)+len(s.hidden) > 2*s.merged+1024 {
		s.merge()
	}
	if len(s.tags)+len(s.hidden) > maxTags && s.unknown == "" {
		s.unknown = "it depends on too many rows"
	}
	if s.unknown != "" {
		s.tags, s.hidden, s.merged = nil, nil, 0 // it depends on anything
	}
}

// merge sorts the tags, each once.
func (s *sum) merge() {
	s.tags, s.hidden = tag.Merge(s.tags), tag.Merge(s.hidden)
	s.merged = len(s.tags) + len(s.hidden)
}

// add adds what another sum has, which is that of an Early: nothing is hidden in it.
func (s *sum) add(o *sum) {
	s.tags, s.coarse = append(s.tags, o.tags...), append(s.coarse, o.coarse...)
	s.number = min(s.number, o.number)
	s.unknown, s.uncommitted = cmp.Or(s.unknown, o.unknown), cmp.Or(s.uncommitted, o.uncommitted)
	s.volatile = cmp.Or(s.volatile, o.volatile)
	s.settings = append(s.settings, o.settings...)
	s.analyses = append(s.analyses, o.analyses...)
	s.statements += o.statements
}
