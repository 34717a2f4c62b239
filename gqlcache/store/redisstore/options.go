package redisstore

import (
	"encoding"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Policy says who waits for a write.
type Policy int

const (
	// Behind queues writes, in this process, and sends them in batches from one
	// goroutine. Get sees what is queued. A write that Redis refuses later is counted and
	// lost, and an older entry may stay.
	Behind Policy = iota
	// Through sends a write at once and waits for it, at most WriteTimeout.
	Through
)

// Encoded is an entry's Meta as Redis holds it, of a store without DecodeMeta.
type Encoded []byte

// AppendBinary implements encoding.BinaryAppender.
func (m Encoded) AppendBinary(b []byte) ([]byte, error) { return append(b, m...), nil }

// Options configure a store. Client and Prefix are required.
type Options struct {
	// Client talks to Redis: standalone, Sentinel or Cluster. New does not use it, so a
	// Redis that is down does not keep a program from starting. See ClientOptions for
	// settings that suit a cache.
	Client redis.UniversalClient
	// OwnClient says that Close closes the client, too. Defaults to false.
	OwnClient bool
	// Prefix begins all keys. It must not hold spaces, braces or any of *?[]\^. Stores of
	// one prefix share their entries, so it has no default: give each service, and each
	// environment of it, one of its own, such as "shop-production". The log's Namespace
	// will do.
	Prefix string
	// DecodeMeta makes an entry's Meta of what its AppendBinary wrote; an error makes the
	// entry a miss that counts as Corrupt. It may keep the bytes, but must not change
	// them, and is called concurrently. Defaults to keeping the bytes, as Encoded.
	DecodeMeta func([]byte) (encoding.BinaryAppender, error)
	// Keys authenticate values: the first one those that this store writes, and each of
	// them those that it reads. A value that none has authenticated is a miss that counts
	// as Corrupt. So whoever can write to Redis, and has no key, can take answers away,
	// or keep an old one of the same key by hiding changes from the log, and not make up
	// any. To rotate, add the new key as the second everywhere, then make it the first,
	// then leave the old one out. At least 16 bytes each, of a random generator. The
	// store keeps them. Defaults to none: values have a checksum only.
	Keys [][]byte
	// MaxEntryBytes bounds an entry: its header, key, Meta and body before compression.
	// Larger ones are refused by Put, and are misses for Get, whoever wrote them.
	// Defaults to 1 MiB.
	MaxEntryBytes int
	// CompressAbove is the length of a body from which on it is compressed with zstd, if
	// that makes it smaller. Compressed bodies are read whatever it is. Defaults to 0,
	// never.
	CompressAbove int
	// ReadTimeout is how long Get waits, and GetAll for each 256 entries. Defaults to 25 ms.
	ReadTimeout time.Duration
	// Write says who waits for writes. Defaults to Behind.
	Write Policy
	// WriteTimeout is how long a write, or a batch of them, may take. Defaults to 100 ms.
	WriteTimeout time.Duration
	// QueueEntries and QueueBytes bound the writes that wait under Behind; those beyond
	// are dropped. Default to 1024 and 32 MiB.
	QueueEntries, QueueBytes int
	// MaxCalls bounds the calls to Redis that run at one time, those that nobody waits
	// for any more included. Defaults to 256.
	MaxCalls int
	// BreakAfter is the number of failures in a row that opens the breaker, CoolDown how
	// long it stays open before a call is tried. Default to 5 and 1 s.
	BreakAfter int
	CoolDown   time.Duration
	// CloseTimeout is how long Close waits for queued writes, and then for calls.
	// Defaults to 2 s.
	CloseTimeout time.Duration
	// Logger gets a line for each kind of trouble, once, and for each time the breaker
	// opens or closes. No line holds a key, a value, a user or a password. Defaults to
	// slog.Default().
	Logger *slog.Logger
	// Clock returns the time that Entry.Expires is compared with; it must be safe for
	// concurrent use. Time in Redis passes by Redis's clock. Defaults to time.Now.
	Clock func() time.Time
}

// withDefaults fills a copy.
func (o Options) withDefaults() Options {
	if o.DecodeMeta == nil {
		o.DecodeMeta = func(b []byte) (encoding.BinaryAppender, error) { return Encoded(b), nil }
	}
	orElse(&o.MaxEntryBytes, 1<<20)
	orElse(&o.ReadTimeout, 25*time.Millisecond)
	orElse(&o.WriteTimeout, 100*time.Millisecond)
	orElse(&o.QueueEntries, 1024)
	orElse(&o.QueueBytes, 32<<20)
	orElse(&o.MaxCalls, 256)
	orElse(&o.BreakAfter, 5)
	orElse(&o.CoolDown, time.Second)
	orElse(&o.CloseTimeout, 2*time.Second)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return o
}

func orElse[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// validate reports all faults at once. REQUIRES: defaults filled.
func (o Options) validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("redisstore: "+format, args...))
	}
	if o.Client == nil {
		fault("Client is nil; make one with redis.NewUniversalClient or redis.NewClient")
	}
	if o.Prefix == "" {
		fault("Prefix is not set; set it to a name that all instances working on the same data have in common, and nobody else who uses this Redis has, such as \"shop-production\"")
	}
	if len(o.Prefix) > 200 || strings.ContainsFunc(o.Prefix, unfit) {
		fault("Prefix %q must have at most 200 bytes and no spaces, braces or any of *?[]\\^", o.Prefix)
	}
	validateKeys(o.Keys, fault)
	if o.Write != Behind && o.Write != Through {
		fault("Write is %d; it must be Behind or Through", o.Write)
	}
	if o.CompressAbove < 0 {
		fault("CompressAbove is %d; it must be 0 (never) or more", o.CompressAbove)
	}
	if o.MaxEntryBytes < headerLen || o.MaxEntryBytes > maxLen {
		fault("MaxEntryBytes is %d; it must be between %d and %d", o.MaxEntryBytes, headerLen, maxLen)
	}
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"ReadTimeout", int64(o.ReadTimeout)}, {"WriteTimeout", int64(o.WriteTimeout)},
		{"CloseTimeout", int64(o.CloseTimeout)}, {"CoolDown", int64(o.CoolDown)},
		{"QueueEntries", int64(o.QueueEntries)}, {"QueueBytes", int64(o.QueueBytes)},
		{"MaxCalls", int64(o.MaxCalls)}, {"BreakAfter", int64(o.BreakAfter)},
	} {
		if n.value < 0 {
			fault("%s is %d; it must be 0 (the default) or more", n.name, n.value)
		}
	}
	return errors.Join(faults...)
}

// unfit reports runes that would end the hash tag of a key early, or mean something in a
// pattern.
func unfit(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`{}*?[]\^`, r) }
