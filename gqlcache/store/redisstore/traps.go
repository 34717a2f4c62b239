// Traps, for who changes this package.
//
//   - The release of a fill lease goes through the same queue as the answer that it was
//     for. Otherwise the next holder would compute the answer again.
//   - To cancel a slow read would close its connection. Reads run on beside their caller,
//     and their number is bounded.
//   - A soft timeout is a miss, and no failure of the request. The breaker keeps a dead
//     Redis from costing even that.
//   - The age of an entry is Redis's PTTL, read before the value: no wall clocks of two
//     machines are compared.
//   - A PTTL of -1 on a value that was put with an expiry means that its age is lost: the
//     read is a miss.
//   - go-redis's errors quote arguments and replies: never log them as they are.

package redisstore
