// Package store is the contract between the cache and the tiers that hold its entries.
//
// A store keeps bytes under keys. Whether an entry is still true is never its business:
// the cache checks that on every hit, so a store may lose entries, and may keep dead
// ones, without harm.
package store

import (
	"context"
	"encoding"
	"errors"
	"iter"
	"time"
)

// ErrMiss is returned by Get when there is no entry, or only an expired one.
var ErrMiss = errors.New("store: miss")

// ErrClosed is returned by every method but Close after Close.
var ErrClosed = errors.New("store: closed")

// ErrTooLarge is returned by Put for an entry that is larger than the store accepts.
var ErrTooLarge = errors.New("store: entry too large")

// An Entry is one cached response. Neither the store nor its callers change an entry, its
// body included, once it has been handed to Put or returned by Get.
type Entry struct {
	// Body is the response.
	Body []byte
	// Expires is when the entry stops being served; the zero time is never. Promotion to
	// a faster tier keeps it: a copy must not live longer than the original.
	Expires time.Time
	// Version orders the entries of one key: a store that can tell keeps the larger one.
	Version uint64
	// Size is what the entry is charged for, in bytes: key, body and bookkeeping. Less
	// than 0 counts as 0.
	Size int
	// Meta is what the cache needs to check the entry. A tier in memory keeps the value,
	// a remote one its encoding.
	Meta Meta
}

// Meta is the cache's part of an entry. AppendBinary appends its encoding.
type Meta = encoding.BinaryAppender

// Stats are a store's figures since it was made. Once nothing is running, every entry
// that was put is in exactly one place: it is held, or was replaced by a later put, or is
// counted in Deletes, Evictions or Expirations.
type Stats struct {
	// Hits and Misses are the answers of Get.
	Hits   uint64 `json:"hits"`
	Misses uint64 `json:"misses"`
	// Puts are entries taken in: not those refused, and not those that a younger one kept
	// out.
	Puts uint64 `json:"puts"`
	// Deletes are entries removed by Delete, DeleteEntry, Clear and Close.
	Deletes uint64 `json:"deletes"`
	// Evictions are entries removed to make room; Expirations those removed because of
	// their age.
	Evictions   uint64 `json:"evictions"`
	Expirations uint64 `json:"expirations"`
	// Refused are puts refused for their size.
	Refused uint64 `json:"refused"`
	// Entries and Bytes are what is held now; Bytes is the sum of Entry.Size.
	Entries int64 `json:"entries"`
	Bytes   int64 `json:"bytes"`
	// MaxEntries and MaxBytes are the bounds; 0 is unbounded.
	MaxEntries int64 `json:"maxEntries"`
	MaxBytes   int64 `json:"maxBytes"`
}

// A Store holds entries. All methods are safe for concurrent use. Stores in memory do not
// block; remote ones obey the context.
type Store interface {
	// Get returns the entry of a key, or ErrMiss. The key's bytes are not kept.
	Get(ctx context.Context, key []byte) (*Entry, error)
	// Put stores an entry, replacing one of a smaller or equal Version. When Put returns
	// nil, a Get that starts later sees the entry or a younger one, or misses: an entry
	// that has expired already still ends an older one. After ErrTooLarge the store is as
	// it was. The key's bytes are not kept.
	Put(ctx context.Context, key []byte, e *Entry) error
	// Delete removes an entry; it is no error when there is none.
	Delete(ctx context.Context, key []byte) error
	// DeleteEntry removes the entry of a key if it still is e, which Get or All returned.
	// It is no error when there is another entry, or none.
	DeleteEntry(ctx context.Context, key []byte, e *Entry) error
	// All ranges over the entries held, in no order, leaving out expired ones. Entries
	// put or deleted meanwhile may or may not be seen, and the loop's body may call the
	// store. The key must not be changed and is valid only until the body ends. A closed
	// or unreachable store yields nothing.
	All(ctx context.Context) iter.Seq2[[]byte, *Entry]
	// Clear removes all entries. Entries put while it runs may survive.
	Clear(ctx context.Context) error
	// Stats returns the figures; it does not block.
	Stats() Stats
	// Close frees what the store holds and stops its goroutines. Closing twice is no
	// error.
	Close() error
}
