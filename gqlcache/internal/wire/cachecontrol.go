package wire

import (
	"strconv"
	"time"
)

// Values of Cache-Control.
const (
	noCache        = "no-cache"
	privateNoCache = "private, no-cache"
	noStore        = "no-store"
)

// The same as values of a header.
var (
	valueNoCache        = []string{noCache}
	valuePrivateNoCache = []string{privateNoCache}
	valueNoStore        = []string{noStore}
)

// cacheControlValue returns a value of the header. The usual ones are ready.
func cacheControlValue(s string) []string {
	switch s {
	case noCache:
		return valueNoCache
	case privateNoCache:
		return valuePrivateNoCache
	case noStore:
		return valueNoStore
	}
	return []string{s}
}

// A Keeping is what decides whether caches outside may keep an answer.
type Keeping struct {
	Public     bool // no predicate: all callers get the same answer
	HasErrors  bool
	SetCookie  bool // the response sets a cookie
	Held       bool // the response waits for a commit
	DoNotStore bool // a resolver says so
	Shadow     bool // the cache only watches

	// EdgeAge is how long caches that many clients share may answer with what is no
	// longer so. The owner chooses it; 0 means not at all.
	EdgeAge time.Duration
	// Age is the time since the answer was last known to be true: 0 where that was looked
	// at now.
	Age time.Duration
}

// CacheControlFor returns the values of Cache-Control and Age, the latter empty where
// there is none to send. Unless the owner names an age, a cache asks before each use: no
// mutation reaches it. A browser asks in any case: its user would otherwise read as it
// was what he has just changed.
func CacheControlFor(k Keeping) (cacheControl, age string) {
	seconds := int64(k.EdgeAge / time.Second)
	switch {
	case k.HasErrors || k.SetCookie || k.Held || k.DoNotStore || k.Shadow:
		return noStore, ""
	case !k.Public:
		return privateNoCache, ""
	case seconds <= 0:
		return noCache, ""
	}
	if k.Age > 0 {
		age = strconv.FormatInt(int64((k.Age+time.Second-1)/time.Second), 10)
	}
	return "public, max-age=0, s-maxage=" + strconv.FormatInt(seconds, 10), age
}
