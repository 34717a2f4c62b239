package fleet

import (
	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/internal/clock"
)

// A Sink applies what the log has, to the history and to the clock. The log has it from
// Start.
type Sink struct {
	f *Fleet
	// Noted is called between the two steps of Apply. It is for tests; nil is nothing.
	Noted func()
}

// Apply implements changelog.Sink. The history learns of a record before the clock does.
// The other way round, an entry of the shared store could be taken over with a token from
// after the record, while the history does not know yet that the record names it.
func (s Sink) Apply(r changelog.Record) {
	f := s.f
	tags, ok := f.readable(r)
	if !ok {
		r.All = true
	}
	texts := textsOf(r.Tags)
	r.Tags = tags
	f.history.Note(r)
	if s.Noted != nil {
		s.Noted()
	}
	f.applyRecord(r, texts)
}

// applyRecord applies a record to the clock, and reports it. texts are the words of its
// texts.
func (f *Fleet) applyRecord(r changelog.Record, texts []tag.Tag) {
	if r.All {
		number := f.cfg.Clock.Flush()
		f.cfg.Heard(r.Origin, nil, "a record that names everything, or what this schema does not have", number)
		return
	}
	number := f.applyNew(texts, r.Tags, f.cfg.Clock.Apply(r.Tags))
	f.cfg.Heard(r.Origin, r.Tags, "", number)
}

// Flush implements changelog.Sink.
func (s Sink) Flush(epoch, number uint64) {
	f := s.f
	f.history.Flush(epoch, number)
	applied := f.cfg.Clock.Flush()
	f.cfg.Heard("", nil, "the log has begun anew, or a part of it is lost", applied)
}

// An intentSink also hears announcements. The log calls it from one goroutine at a time,
// which is what protects open.
type intentSink struct {
	Sink
	open map[changelog.Position]*clock.Intent
}

var _ changelog.IntentSink = intentSink{}

// Announce implements changelog.IntentSink. The history does not learn of it: the clock
// refuses an entry of the shared store that the announcement names while it is open, and
// the history refuses the entry for the change itself.
func (s intentSink) Announce(id changelog.Position, r changelog.Record) {
	if s.open[id] != nil {
		return
	}
	if tags, ok := s.f.readable(r); ok {
		s.open[id] = s.f.cfg.Clock.Announce(tags)
	} else {
		s.open[id] = s.f.cfg.Clock.AnnounceAll()
	}
}

// Settle implements changelog.IntentSink.
func (s intentSink) Settle(id changelog.Position) {
	if in := s.open[id]; in != nil {
		in.Settle()
		delete(s.open, id)
	}
}
