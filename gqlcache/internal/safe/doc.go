// Package safe ends the panics of what the owner of a server gives to the cache:
// functions, stores, a log, a logger and a clock. Without it, a logger that panics while
// the cache applies a change would leave the change unapplied, and a clock that panics on
// a goroutine of the cache's would end the process. Once logs what has failed.
//
// A function that ends its goroutine, as runtime.Goexit and t.FailNow do, ends it here
// too.
package safe
