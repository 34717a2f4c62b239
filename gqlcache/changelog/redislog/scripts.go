package redislog

import "github.com/redis/go-redis/v9"

// The scripts are the protocol: they are all that changes the two keys, and each is
// atomic.
//
//	KEYS[1]  hash    e epoch · s number of the last record · r server that made the epoch, and its history of replication
//	                 x last nonce given out · t longest lease in ms
//	                 m:<instance> number applied · l:<instance> number at its last lease
//	                 p:<instance> nonce of the last reply sent to it
//	                 i:<number> payload of an open intent · j:<number> its last sign of life
//	                 q 1 when intents of older epochs are over
//	KEYS[2]  stream  <number>-0: t payload · o origin
//
// Members live in the same key as the epoch. Were they apart, an eviction of theirs alone
// would read as "nobody to wait for".
//
// Numbers are Lua's, doubles: epochs are microseconds of the server's clock, and exact up
// to the year 2255.

// prelude begins every script. allow-oom: a full server must go on taking invalidations.
//
// ensure returns the epoch and the number, after starting a new epoch when anything may
// have been lost:
//   - the key is not there, or is broken;
//   - the server is another process than the one that began the epoch: after a failover
//     or a restart from disk, the last records may be missing, and their numbers would be
//     used again for others. An instance that has applied the first of two records of one
//     number would never notice the second. The same process may have another history of
//     replication: demoted, given the data of a primary that lacked the last records, and
//     promoted again before anybody renewed at that one. So the history is part of its
//     name. It also changes, for no loss, when a server gets its first replica;
//   - the caller, whose position is ce and a, has seen a later epoch or a later number of
//     this one. It catches the rest, and is all there is where INFO is not allowed.
//
// An epoch is greater than every epoch and number known before.
//
//nolint:dupword // Lua
const prelude = `#!lua flags=allow-oom
local function fmt(n) return string.format('%.0f', n) end
local function info(section, pattern)
  local text = redis.pcall('INFO', section)
  if type(text) ~= 'string' then return nil end
  return string.match(text, pattern)
end
local function ensure(ce, a)
  local v = redis.call('HMGET', KEYS[1], 'e', 's', 'r')
  local e, s = tonumber(v[1]), tonumber(v[2])
  local run = info('server', 'run_id:(%w+)')
  if run then run = run .. '/' .. (info('replication', 'master_replid:(%w+)') or '') end
  if e and s and not (run and v[3] and v[3] ~= run) and not (ce > e) and not (ce == e and a > s) then
    if run and not v[3] then redis.call('HSET', KEYS[1], 'r', run) end
    return e, s, run
  end
  local now = redis.call('TIME')
  local n = math.max(tonumber(now[1]) * 1000000 + tonumber(now[2]), math.max(e or 0, s or 0, ce, a) + 1000000)
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'e', fmt(n), 's', fmt(n))
  if run then redis.call('HSET', KEYS[1], 'r', run) end
  return n, n, run
end
`

// publishScript numbers a record.
// ARGV 1 payload, 2 origin, 3 caller's epoch, 4 caller's number, 5 length of the log, 6
// most records returned, 7 1 for an intent, 8 the sign of life that the first of the
// intents settled must have, or nothing, 9… numbers of the intents settled. No two epochs
// have a number in common.
// Returns the epoch, the number, 0 for none, the members and the longest lease from the
// hash, and the records between the caller's and this one.
//
// Open intents live in the key of the epoch, like the members: were they apart, an
// eviction of theirs alone would read as "nothing is announced".
//
// The stream refuses a number that is not above its last one, which only somebody else
// can have put there. The log is then of no use: it goes, everyone finds a hole and
// flushes.
//
//nolint:dupword // Lua
var publishScript = redis.NewScript(prelude + `
local ce, a = tonumber(ARGV[3]), tonumber(ARGV[4])
local e, s = ensure(ce, a)
if ARGV[8] ~= '' and redis.call('HGET', KEYS[1], 'j:' .. ARGV[9]) ~= ARGV[8] then return {fmt(e), '0', {}, {}} end
local id = fmt(s + 1)
local function add() return redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], id .. '-0', 't', ARGV[1], 'o', ARGV[2]) end
local added = add()
if type(added) == 'table' and added.err and redis.call('TYPE', KEYS[2]).ok == 'stream' then
  redis.call('DEL', KEYS[2])
  added = add()
end
if type(added) == 'table' and added.err then return added end
redis.call('HSET', KEYS[1], 's', id)
if ARGV[7] == '1' then redis.call('HSET', KEYS[1], 'i:' .. id, ARGV[1], 'j:' .. id, '1') end
for k = 9, #ARGV do redis.call('HDEL', KEYS[1], 'i:' .. ARGV[k], 'j:' .. ARGV[k]) end
local all, known = redis.call('HGETALL', KEYS[1]), {}
for k = 1, #all, 2 do
  if all[k] == 't' or string.sub(all[k], 1, 2) == 'm:' then
    known[#known + 1] = all[k]
    known[#known + 1] = all[k + 1]
  end
end
local missed = {}
if e == ce and a < s then
  missed = redis.call('XRANGE', KEYS[2], '(' .. ARGV[4] .. '-0', '(' .. id .. '-0', 'COUNT', ARGV[6])
end
return {fmt(e), id, known, missed}
`)

// renewScript grants a lease to an instance that is up to date with this reply.
// ARGV 1 instance, 2 its epoch, 3 its number, 4 nonce of the last reply it received, 5
// lease in ms, 6 most records returned, 7 1 to say that intents of older epochs are over,
// 8 1 to ask for the open intents
// Returns the epoch, the number, the number before the log's first record, the records
// missed, the nonce, 1 for a lease, the longest lease in ms, the number of replicas, 1 if
// the server has replicas and takes changes without them, 1 if it told its name, 1 if
// intents of older epochs are over, and the fields of the open intents.
//
// No lease without the nonce: over a link on which requests arrive and replies do not, an
// instance would stay a member that never answers, and every mutation would wait for it.
// The nonces are unique, so that a reply which is lost never looks like one that was
// received.
//
// A primary tells how many replicas are in step (min_slaves_good_slaves) only when it
// refuses changes without them. One of a cluster stops by itself when it is cut off.
//
//nolint:dupword // Lua
var renewScript = redis.NewScript(prelude + `
local ce, a, limit = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[6])
local e, s, run = ensure(ce, a)
local missed, first = {}, s
if e == ce then
  if a < s then missed = redis.call('XRANGE', KEYS[2], '(' .. ARGV[3] .. '-0', fmt(s) .. '-0', 'COUNT', limit) end
else
  local head = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
  if head then first = math.min(s, tonumber(string.match(head[1], '^%d+')) - 1) end
end
local received = redis.call('HGET', KEYS[1], 'p:' .. ARGV[1]) == ARGV[4]
local nonce = redis.call('HINCRBY', KEYS[1], 'x', 1)
redis.call('HSET', KEYS[1], 'p:' .. ARGV[1], nonce)
local granted, longest = 0, math.max(tonumber(redis.call('HGET', KEYS[1], 't')) or 0, tonumber(ARGV[5]))
if e == ce and received and #missed < limit then
  granted = 1
  local m = math.max(tonumber(redis.call('HGET', KEYS[1], 'm:' .. ARGV[1])) or 0, a)
  redis.call('HSET', KEYS[1], 'm:' .. ARGV[1], fmt(m), 'l:' .. ARGV[1], fmt(s), 't', fmt(longest))
end
local replicas = tonumber(info('replication', 'connected_slaves:(%d+)') or '0')
local alone = replicas > 0 and info('server', 'redis_mode:(%w+)') ~= 'cluster'
  and not info('replication', 'min_slaves_good_slaves:(%d+)')
if ARGV[7] == '1' and e == ce then redis.call('HSET', KEYS[1], 'q', '1') end
local open = {}
if ARGV[8] == '1' then
  local all = redis.call('HGETALL', KEYS[1])
  for k = 1, #all, 2 do
    local kind = string.sub(all[k], 1, 2)
    if kind == 'i:' or kind == 'j:' then
      open[#open + 1] = all[k]
      open[#open + 1] = all[k + 1]
    end
  end
end
local quiet = redis.call('HGET', KEYS[1], 'q') and 1 or 0
return {fmt(e), fmt(s), fmt(first), missed, fmt(nonce), granted, longest, replicas, alone and 1 or 0, run and 1 or 0, quiet, open}
`)

// ackScript says that an instance has applied everything up to a number, also on the
// channels of the origins.
// ARGV 1 instance, 2 epoch, 3 number, 4… origins
var ackScript = redis.NewScript(`#!lua flags=allow-oom
if redis.call('HGET', KEYS[1], 'e') ~= ARGV[2] then return 0 end
local m = tonumber(redis.call('HGET', KEYS[1], 'm:' .. ARGV[1]))
if not m then return 0 end
if tonumber(ARGV[3]) > m then redis.call('HSET', KEYS[1], 'm:' .. ARGV[1], ARGV[3]) end
for i = 4, #ARGV do redis.pcall('PUBLISH', KEYS[1] .. ':' .. ARGV[i], ARGV[1] .. ' ' .. ARGV[3]) end
return 1
`)

// reapScript drops the members whose lease was granted before a number, of which every
// lease granted before has run out since. ARGV 1 epoch, 2 number. Returns -1 when the
// epoch is over or the server has lost the number, else how many were dropped.
//
// The lease's number decides, not the one applied: a member may have been granted a lease
// at the number, with the records that it missed, and not have said since that it applied
// them. It is dropped by its last word, and is missing from the list of the next
// mutation, while its lease is valid.
//
//nolint:dupword // Lua
var reapScript = redis.NewScript(`#!lua flags=allow-oom
local v = redis.call('HMGET', KEYS[1], 'e', 's')
if v[1] ~= ARGV[1] or (tonumber(v[2]) or 0) < tonumber(ARGV[2]) then return -1 end
local fields, leases, dropped = redis.call('HGETALL', KEYS[1]), {}, 0
for i = 1, #fields, 2 do
  if string.sub(fields[i], 1, 2) == 'l:' then leases[string.sub(fields[i], 3)] = tonumber(fields[i + 1]) or 0 end
end
for i = 1, #fields, 2 do
  local kind, id = string.sub(fields[i], 1, 2), string.sub(fields[i], 3)
  if (kind == 'p:' or kind == 'm:') and (leases[id] or 0) < tonumber(ARGV[2]) then
    redis.call('HDEL', KEYS[1], 'm:' .. id, 'l:' .. id, 'p:' .. id)
    if kind == 'm:' then dropped = dropped + 1 end
  end
end
return dropped
`)

// standScript is a sign of life of who has announced something. ARGV numbers of intents.
// Returns those of them that are not open.
//
//nolint:dupword // Lua
var standScript = redis.NewScript(`#!lua flags=allow-oom
local gone = {}
for k = 1, #ARGV do
  if redis.call('HGET', KEYS[1], 'j:' .. ARGV[k]) then
    redis.call('HINCRBY', KEYS[1], 'j:' .. ARGV[k], 1)
  else
    gone[#gone + 1] = ARGV[k]
  end
end
return gone
`)

// leaveScript ends a membership. ARGV 1 instance
var leaveScript = redis.NewScript(`#!lua flags=allow-oom
return redis.call('HDEL', KEYS[1], 'm:' .. ARGV[1], 'l:' .. ARGV[1], 'p:' .. ARGV[1])
`)
