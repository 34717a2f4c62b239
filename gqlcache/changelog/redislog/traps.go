// Traps, for who changes this package.
//
//   - Two members of one name would take each other's acknowledgements for their own: a
//     name ends in a random number.
//   - CatchUp of one position says nothing of another one: ErrBehind does not promise
//     that everything there was is applied.
//   - Records are not authenticated, shared entries may be. A forged record only drops
//     answers. A signature would not show that a record was left out.
//   - A failover that loses a record lets another instance publish under the record's
//     number. The epoch is tied to the server's run_id and replication id, so every
//     failover and restart begins a new epoch.
//   - A promoted replica may lack the record and the last member that joined. No member
//     is dropped while the log is behind the number.
//   - While the server has not taken a change, this instance has no lease: an entry that
//     is born after such a change could not be told from one before it elsewhere.
//   - An expired intent counts as made. Were it only forgotten, shared entries from
//     before it would be proven again: the history knows no change.
//   - A list of open intents is of one number. Those that later records have settled, and
//     that are applied before the list, must not be opened again.
//   - The publication of an announced change still waits as the level says: in a rollout
//     some instances know no intents.
//   - A call in a pipeline with WAIT that answers NOSCRIPT is repeated there with the
//     script's text. No replica waits for a script that runs alone.
//   - A feed sees a lost tail only if it reads Applied before the stream.
//   - While the slot of the control keys is half moved, only safety is promised, not
//     progress.
//   - A change that is published again after its connection broke may be logged twice,
//     and then drops answers twice. It is not applied here in between, which is right:
//     nobody has been told of it.
//   - go-redis ignores contexts unless ContextTimeoutEnabled is set. Its errors quote
//     arguments and replies: never log them as they are.

package redislog
