// Package redisstore holds entries in Redis, shared by all processes that use the same
// prefix. It is meant to stand behind a store in memory.
//
// # What is stored
//
// One string for each entry, at <prefix>:q:{<SHA-256 of the key, base64>}: the braces are
// a hash tag, so that the entries of a Redis Cluster spread over all slots. The value
// carries the whole key and a CRC-32C over everything, and is refused unless all of it is
// as it was written: see format.go. What is refused is a miss and counts as Corrupt.
// Leases, where they are asked for, are short-lived strings at <prefix>:l:{<the same>},
// in the slot of their entry. Nothing else is stored, and nothing outside of <prefix>:q:
// and <prefix>:l: is touched.
//
// # Ages
//
// No wall clocks of two machines are compared. Put sends the time that is left, and Redis
// counts it down. Get asks for the time left together with the value, in one round trip,
// and counts it from before it asked. So an Expires that Get returns is never later than
// what Put was given, but for the time that the value traveled from Put to Redis.
//
// # Younger and older
//
// Put is a plain SET: unlike a store in memory, an older Version may replace a younger
// one that another process stored. That is safe where the reader proves an entry valid
// before it uses it, as the cache does: then the price is a miss.
//
// # A Redis that is slow or gone
//
// Each read waits at most ReadTimeout. After BreakAfter failures in a row the store does
// not ask at all for a CoolDown, then sends a single call to try. What is not asked fails
// at once with ErrUnavailable. None of this depends on how the client was configured: a
// call that does not return in time goes on in a goroutine of its own, of which there are
// at most MaxCalls.
//
// # Commands
//
// The store uses PTTL and GETRANGE to read, SET, UNLINK and EVAL (of one short script
// that runs GETRANGE and UNLINK) to write, and SCAN for All and Clear. A Redis user needs
// those on the keys <prefix>:q:*.
package redisstore
