// Package redislog is the change log on Redis, for the instances of one service.
//
// # What it promises
//
// A publication is confirmed when every other instance has applied the change or holds no
// lease. An instance without a lease serves nothing from its caches. So, with level
// Strong, no read that begins after Publish has returned is answered from before the
// change, whatever happens to instances and links; with Bounded the same, but for
// receipts that are not confirmed, and then for at most a lease.
//
// With Intend, before a change is made, nothing that it names is served by an instance
// with a lease until the change is applied there. So reads are linearizable between
// instances whose sinks know announcements; also when one dies between its commit and its
// Publish.
//
// Not covered: two primaries at once that both take writes. A planned failover of Sentinel
// has them for a while, and so has one of a primary that is only cut off, unless
// min-replicas-to-write stops the old one: a log line says when that is not set. Neither
// is an instance that is cut off, or dies, between a commit and its Publish, if the change
// was not announced: others do not hear of it before it is pushed, or ever, and serve what
// they have for as long as it lives. If it was announced, neither is an instance that
// stands still, or is cut off, before its commit for longer than IntentTTL allows.
//
// # How
//
// A number is given to each change by a script, which also logs it; an epoch says for how
// long the numbers have been without loss. A renewal, three times per TTL, brings what
// was missed and then a lease; it ends 0.9 TTL after the request was sent, on this
// machine's clock, and the clocks of two machines are never compared. Records also arrive
// by a blocking read as they are logged, and are acknowledged, those of a burst together.
// Members are dropped when a TTL has passed since a change and their last lease is from
// before it. The server's memory is not relied on: when a key is missing, when the server
// is another process, or when it knows less than a caller, a new epoch begins. Everything
// cached is then invalid, and no change is confirmed until the leases of the old epoch
// are over.
//
// # Intents
//
// An intent is a record, and is kept in the hash until a record settles it. Its maker
// gives a sign of life, a number in the hash, three times per IntentTTL. Another instance
// that sees the same sign for an IntentTTL settles it by a record that says that all it
// names has changed; the script does so only if the sign is still the same. So an intent
// begins and ends at one place of the log for all instances, and no clocks are compared.
//
// An instance that has missed records asks for what is open with its next renewal, and
// has no lease before. A new epoch has lost what was open: everything counts as announced
// until an IntentTTL after it began, by when whoever has announced something has
// announced it again. So after the first start, or the loss of the server's memory,
// caches that know intents keep nothing for an IntentTTL.
//
// # The server
//
// Redis 7 or later, or what understands its scripts: they carry the flag allow-oom, so
// that changes are taken by a server that is full. Reads must go to the primary; New
// refuses a cluster client that is set to read elsewhere. One connection of the client's
// pool is occupied by the reader, and one outside of it by the messages of
// acknowledgements. The keys are
//
//	{gqlc:<namespace>}:c     a hash: epoch, number, three fields for each member, two for each open intent
//	{gqlc:<namespace>}:log   a stream
//
// The commands are EVALSHA, EVAL, XREAD, HMGET, SUBSCRIBE, PING, with level Strong and
// replicas WAIT, and within scripts HGET, HMGET, HGETALL, HSET, HINCRBY, HDEL, DEL, TYPE,
// XADD, XRANGE, TIME, INFO, PUBLISH. Messages are on the channels
// {gqlc:<namespace>}:c:<instance>; where they are not allowed, they are made up for by
// polling. Where INFO is not, it is not seen that the server is another process, and a
// failover that loses records can go unnoticed when their numbers are used again first.
//
// # The client
//
// Set ContextTimeoutEnabled, or New refuses the client: a renewal must be able to give
// up. Set DialerRetries to 1, and MaxRetries to 1 or to -1 for none; by default a call to
// a server that is down retries for longer than a lease. Let DialTimeout be less than the
// TTL. go-redis prints remarks of its own about broken connections: redis.SetLogger
// silences them.
//
// # Records of other programs
//
// A program that changes the database may publish by hand, after its commit:
//
//	HINCRBY {gqlc:<namespace>}:c s 1        → n
//	XADD {gqlc:<namespace>}:log n-0 t <payload> o <name>
//
// The payload is a byte 1 followed by 16 bytes for each tag, its hash and mask, both
// little endian; or the single byte 2 for everything. If the program ends between the two
// commands, or a later number is logged first, instances find a hole and flush. A payload
// that is not understood flushes too. Nobody is waited for. docs/log-format.md has a
// command that does both at once, and the format at length.
package redislog
