package inspector

import (
	"slices"
	"time"

	"github.com/cascadeql/cascadeql/cascade"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
)

// Listens reports whether somebody may ever watch.
func (i *Inspector) Listens() bool { return i.watch != nil }

// Watching reports whether somebody watches, and wants to know of entries and changes.
func (i *Inspector) Watching() bool { return i.watch != nil && i.watch.Watching() }

// Watch notes that somebody watches. The inspector must listen.
func (i *Inspector) Watch() { i.watch.Watch() }

// Close ends the watch.
func (i *Inspector) Close() {
	if i.watch != nil {
		i.watch.Close()
	}
}

// Show returns what the watch knows an operation by, nil when nobody may watch.
func (i *Inspector) Show(p *plans.Plan) *watch.Operation {
	if i.watch == nil {
		return nil
	}
	hash := ""
	var views []string
	if p.Bypass == "" {
		hash = p.ShortHash()
		for _, dep := range p.Operation.Dependencies() {
			views = append(views, dep.View.Name)
		}
	}
	return watch.NewOperation(p.Definition.Name, hash, views)
}

// A Look is the look-up of a key, as far as somebody watches or has asked for an
// explanation.
type Look struct {
	i     *Inspector
	op    *watch.Operation
	note  *Note
	mark  watch.Mark
	start time.Time
	on    bool // somebody watches
}

// Look begins a look-up, for an operation that the watch knows as op. note is nil when
// nobody has asked.
func (i *Inspector) Look(note *Note, p *plans.Plan, op *watch.Operation, vars map[string]any, key []byte) Look {
	if note != nil {
		i.shield.Run(func() {
			note.key = append(note.key[:0], key...)
			note.parts = i.keyParts(p, vars, key)
		})
	}
	if i.watch == nil {
		return Look{i: i, op: op, note: note}
	}
	l := Look{i: i, op: op, note: note, mark: i.watch.Mark(), on: i.watch.Watching()}
	if l.on {
		l.start = time.Now()
	}
	return l
}

// Hit ends a look-up that has found an answer.
func (l *Look) Hit(key []byte) {
	l.note.looked()
	if !l.on {
		return
	}
	l.i.shield.Run(func() {
		if h := l.i.watch.Served(key, l.op, time.Since(l.start)); l.note != nil {
			l.note.hits = h.Entry
		}
	})
}

// Refreshes ends a look-up that has found an answer which is computed anew before it
// expires.
func (l *Look) Refreshes() { l.note.refreshes() }

// Missed ends a look-up that has not: call it before the answer is stored.
func (l *Look) Missed(key []byte, found watch.Found) {
	l.note.looked()
	if l.i.watch == nil || l.note == nil && !l.on {
		return
	}
	defer l.i.shield.Recover()
	why := l.i.watch.Missed(l.mark, key, found) // also for the watch: it takes out what is not there
	if l.note == nil {
		return
	}
	l.note.missed = why
	if why.Code == "cold" {
		l.i.watch.Nearest(key, l.op, l.note.parts)
	}
}

// Stored tells the watch of an entry that the store has taken. e is what the watch keeps,
// but for the parts of the key.
func (i *Inspector) Stored(key string, p *plans.Plan, vars map[string]any, e func() watch.Entry) {
	if i.watch == nil {
		return
	}
	defer i.shield.Recover()
	i.watch.Stored(key, func() watch.Entry {
		x := e()
		x.Parts = i.keyParts(p, vars, []byte(key))
		return x
	})
}

// ShowValues returns what the watch knows the values under keys of a name by.
func ShowValues(name string) *watch.Operation { return watch.NewOperation("compute "+name, "", nil) }

// ValueServed counts a value that was found under a key.
func (i *Inspector) ValueServed(key []byte, name string) {
	if i.Watching() {
		i.shield.Run(func() { i.watch.Served(key, ShowValues(name), 0) })
	}
}

// ValueHits returns how often the value of a key was found since it was kept, as far as
// somebody watches.
func (i *Inspector) ValueHits(key []byte) (n uint64) {
	if i.Watching() {
		i.shield.Run(func() { n = i.watch.Hits(key) })
	}
	return n
}

// ValueMissed counts a value that was computed.
func (i *Inspector) ValueMissed(name string) {
	if i.Watching() {
		i.shield.Run(func() { i.watch.Count(ShowValues(name), watch.Miss) })
	}
}

// ValueStored tells the watch of a value that the store has taken. e is what the watch
// keeps, but for the operation.
func (i *Inspector) ValueStored(key, name string, e func() watch.Entry) {
	if i.watch == nil {
		return
	}
	defer i.shield.Recover()
	i.watch.Stored(key, func() watch.Entry {
		x := e()
		x.Op = ShowValues(name)
		return x
	})
}

// Ended counts a query for those who watch, op being what the watch knows it by. A hit of
// a Look was counted by that; late is the key of another hit.
func (i *Inspector) Ended(op *watch.Operation, f Fate, late string) {
	if !i.Watching() {
		return
	}
	defer i.shield.Recover()
	switch f {
	case Bypassed:
		i.watch.Count(op, watch.Bypass)
	case Hit:
		if late != "" {
			i.watch.Served([]byte(late), op, 0)
		}
	case Joined:
		i.watch.Count(op, watch.Collapsed)
	case Failed, Computed, Compared:
		i.watch.Count(op, watch.Miss)
	}
}

// Heard reports a record of another instance that was applied here to the watch.
func (i *Inspector) Heard(origin string, tags []cascade.Tag, everything string, number uint64) {
	if i.Watching() {
		i.shield.Run(func() { i.watch.Applied(origin, tags, everything, number) })
	}
}

// Trace returns how a change goes through the views, nil while nobody watches.
func (i *Inspector) Trace(more []cascade.Tag, events []cascade.Event, part cascade.Partition) (t *cascade.Trace) {
	if !i.Watching() || len(events) == 0 {
		return nil
	}
	i.shield.Run(func() { t = i.config.Schema().Plan.Trace(more, events, part) })
	return t
}

// Begin tells the watch that a change is about to be applied. The function tells it that
// it was, with the clock's number, and returns what was dropped: nil while nobody
// watches.
func (i *Inspector) Begin(ch watch.Change) (end func(number uint64) *inspect.Invalidation) {
	if !i.Watching() {
		return func(uint64) *inspect.Invalidation { return nil }
	}
	start := time.Now()
	ch.Tags = slices.Clone(ch.Tags) // it keeps them, and so may the clock and the log
	var p *watch.Pending
	i.shield.Run(func() { p = i.watch.Begin(ch) })
	return func(number uint64) (told *inspect.Invalidation) {
		i.shield.Run(func() { told = p.Done(number, time.Since(start)) })
		return told
	}
}
