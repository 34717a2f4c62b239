package gqlcache

import (
	"encoding/json"
	"fmt"
	"time"
)

// A ComputeOption is a part of how a value is computed and kept: Reads, TTL, ForAll and the
// other functions that return one. The calls for one key should have the same.
type ComputeOption struct {
	kind  computeOption
	reads []Change
	ttl   time.Duration
	codec Codec
	each  func(id any) (reads []Change, ok bool)
}

type computeOption uint8

const (
	optionNone computeOption = iota
	optionReads
	optionTTL
	optionForAll
	optionAnyTenant
	optionImmutable
	optionCodec
	optionReadsOf
	optionStaleFor
	optionOnError
	optionWithin
	optionErrorAge
)

// Reads declares what the value depends on: rows (Entity), all rows of a view (View), those
// with one value in a column (Where), a tag of the program's own (Tag). A change of one of
// them drops the value. Reads without changes declares that the value depends on nothing
// but its key and what the function says with Read. A value of which nothing is declared,
// said or observed (Options.Observe) depends on every change. An unknown name, and a
// partitioned view where the key has no tenant, are errors, and nothing is computed.
func Reads(reads ...Change) ComputeOption { return ComputeOption{kind: optionReads, reads: reads} }

// ReadsOf declares what each value of ComputeAll depends on, by its id: that of one id only,
// where Reads declares what all of them depend on. K must be the type of the ids.
func ReadsOf[K comparable](reads func(id K) []Change) ComputeOption {
	if reads == nil {
		return ComputeOption{kind: optionReadsOf}
	}
	return ComputeOption{kind: optionReadsOf, each: func(id any) ([]Change, bool) {
		k, ok := id.(K)
		if !ok {
			return nil, false
		}
		return reads(k), true
	}}
}

// TTL is how long the value may be kept, in place of Options.TTL. It must be positive. The
// function may shorten it with MaxAge.
func TTL(d time.Duration) ComputeOption { return ComputeOption{kind: optionTTL, ttl: d} }

// ForAll says that the value is the same for all callers: neither Options.Predicate nor
// Options.Vary is a part of its key. The function must then look at nothing that tells
// callers apart. With it a request gets what a job has computed.
func ForAll() ComputeOption { return ComputeOption{kind: optionForAll} }

// AnyTenant allows a key with a tenant other than the caller's. The program has checked
// before the call that the caller may see that tenant: a hit runs no code of its own.
func AnyTenant() ComputeOption { return ComputeOption{kind: optionAnyTenant} }

// Immutable says that nobody changes the value, nor what it points to, once the function
// has returned it. Then the value itself is kept, all who ask get the same one, and a hit
// does not allocate. It stays in this instance. Texts, numbers, truth values, times, and structs and arrays of these
// need no such promise.
func Immutable() ComputeOption { return ComputeOption{kind: optionImmutable} }

// WithCodec has the value encoded by a codec, in place of encoding/json. Other instances
// take the value over if their codec has the same type, and the same settings where these
// are plain fields: see Options.Shared.
func WithCodec(c Codec) ComputeOption { return ComputeOption{kind: optionCodec, codec: c} }

// A Codec encodes values that are not kept as they are, so that each who asks gets one of
// its own. Its methods may be called concurrently. What comes back must be what was given:
// the cache compares, and keeps no value that does not.
type Codec interface {
	// Marshal returns the bytes of a value. It does not keep the value. The bytes are the
	// caller's.
	Marshal(v any) ([]byte, error)
	// Unmarshal sets what v points to. It keeps and changes nothing of the bytes.
	Unmarshal(data []byte, v any) error
}

// jsonCodec is the default.
type jsonCodec struct{}

func (jsonCodec) Marshal(v any) ([]byte, error)      { return json.Marshal(v) }
func (jsonCodec) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// computeSettings are the options of a call.
type computeSettings struct {
	reads                        []Change
	declared                     bool
	ttl                          time.Duration
	forAll, anyTenant, immutable bool
	codec                        Codec // nil is JSON
	// readsOf is ReadsOf's, nil where there is none.
	readsOf func(id any) (reads []Change, ok bool)
	// See the options of these names.
	staleFor, onError, within, errorAge time.Duration
	fault                               string
}

// set adds options.
func (s *computeSettings) set(opts []ComputeOption) {
	for i := range opts {
		o := &opts[i]
		switch o.kind {
		case optionReads:
			s.declared = true
			if s.reads == nil {
				s.reads = o.reads
			} else {
				s.reads = append(s.reads[:len(s.reads):len(s.reads)], o.reads...)
			}
		case optionTTL:
			if s.ttl = o.ttl; o.ttl <= 0 {
				s.fault = "TTL must be positive"
			}
		case optionForAll:
			s.forAll = true
		case optionAnyTenant:
			s.anyTenant = true
		case optionImmutable:
			s.immutable = true
		case optionCodec:
			if s.codec = o.codec; o.codec == nil {
				s.fault = "WithCodec has no codec"
			}
		case optionReadsOf:
			s.declared = true
			if s.readsOf = o.each; o.each == nil {
				s.fault = "ReadsOf has no function"
			}
		case optionStaleFor, optionOnError, optionWithin, optionErrorAge:
			s.age(o)
		default:
			s.fault = "a ComputeOption is empty; use the functions that return one"
		}
	}
	if s.within > 0 && s.beyond() == 0 {
		s.fault = "Within needs StaleFor or OnError, which say how long an expired value is good for"
	}
}

// by returns the codec.
func (s *computeSettings) by() Codec {
	if s.codec == nil {
		return jsonCodec{}
	}
	return s.codec
}

// codecFault is an error for a type that does not survive being encoded.
func codecFault(typ fmt.Stringer, why string) error {
	return fmt.Errorf("%w: %v: %s; declare the value Immutable, or give a codec that keeps all of it", ErrCodec, typ, why)
}
