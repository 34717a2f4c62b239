package redislog

import (
	"github.com/cascadeql/cascadeql/cascade/tag"
	"github.com/cascadeql/cascadeql/gqlcache/changelog"
)

// Gate calls f whenever the log passes a point: "renew" before a round of renewal,
// "renewed" when a reply has come and is not applied, "read" when records were read and
// are not applied, "ack" before an acknowledgement. The log stands still there until f
// returns.
func (l *Log) Gate(f func(point string)) { l.gate.stop.Store(&f) }

// Keys are the control key and the log's.
func (l *Log) Keys() (control, log string) { return l.server.control, l.server.stream }

// Encode returns the payload of a record of changes.
func Encode(tags []tag.Tag, all bool) string {
	return string(appendChange(nil, kindTags, kindAll, tags, all))
}

// Decode reads what Encode has written.
var Decode = decode

// A Payload is what a record says.
type Payload struct {
	Tags    []tag.Tag
	All     bool
	Intent  bool
	Settles []changelog.Position
}

// String returns the payload of a record.
func (p Payload) String() string {
	c := changes{tags: p.Tags, all: p.All, intent: p.Intent, settles: p.Settles}
	return c.payload()
}

// ReadPayload reads one; false if it is of no known kind.
func ReadPayload(payload string) (Payload, bool) {
	r, ok := decodeRecord(payload)
	return Payload{r.Tags, r.All, r.intent, r.settles}, ok
}

// Now is the clock of leases.
var Now = now

// Scripts by name.
var Scripts = map[string]interface {
	Hash() string
}{"publish": publishScript, "renew": renewScript, "ack": ackScript, "reap": reapScript, "leave": leaveScript, "stand": standScript}

// ReapScript drops members.
var ReapScript = reapScript

// RenewScript grants leases.
var RenewScript = renewScript
