package gqlcache

import (
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
)

// watched says that somebody watches, and wants to know of entries and changes.
func (c *Cache) watched() bool { return c.watch != nil && c.watch.Watching() }

// A look is the look-up of a key, as far as somebody watches or has asked for an explanation.
type look struct {
	c     *Cache
	d     *document
	note  *explanation
	mark  watch.Mark
	start time.Time
	on    bool // somebody watches
}

// look is called before a lookup.
func (c *Cache) look(r *request, d *document, vars map[string]any, key []byte) (l look) {
	if r.note != nil {
		c.shield.Run(func() { r.note.looked(c, d, vars, key) })
	}
	if c.watch == nil {
		return look{c: c, d: d, note: r.note}
	}
	l = look{c: c, d: d, note: r.note, mark: c.watch.Mark(), on: c.watch.Watching()}
	if l.on {
		l.start = time.Now()
	}
	return l
}

// hit is called when the lookup has found an answer.
func (l *look) hit(key []byte) {
	l.note.looks()
	if !l.on {
		return
	}
	l.c.shield.Run(func() {
		if h := l.c.watch.Served(key, l.d.shown, time.Since(l.start)); l.note != nil {
			l.note.hits = h.Entry
		}
	})
}

// missed is called when it has not: before the answer is stored.
func (l *look) missed(key []byte, found watch.Found) {
	l.note.looks()
	if l.c.watch == nil || l.note == nil && !l.on {
		return
	}
	defer l.c.shield.Recover()
	why := l.c.watch.Missed(l.mark, key, found) // also for the watch: it takes out what is not there
	if l.note == nil {
		return
	}
	l.note.missed = why
	if why.Code == "cold" {
		l.c.watch.Nearest(key, l.d.shown, l.note.parts)
	}
}

// remember tells the watch of an entry that the store has taken. The tags are not kept.
func (c *Cache) remember(d *document, vars map[string]any, key string, f *filled) {
	if c.watch == nil || f.entry == nil || f.why != "" {
		return
	}
	defer c.shield.Recover()
	c.watch.Stored(key, func() watch.Entry {
		e, s := f.entry, f.stamp
		return watch.Entry{
			Op: d.shown, Parts: c.keyParts(d, vars, []byte(key)), Tags: f.tags, Born: e.Version, Size: e.Size, Expires: e.Expires,
			Cost: s.Took(), Live: func() bool { return c.engine.Valid(&s.Stamp) },
		}
	})
}
