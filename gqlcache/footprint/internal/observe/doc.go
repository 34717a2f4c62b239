// Package observe watches statements: it gives each to the computation that asked for it,
// and turns what they read and wrote into tags and events. It knows no driver; wrappers of
// drivers tell it, through a Session for each connection.
//
// What it promises:
//
//   - A statement belongs to the recording of its context, or to all that run at any moment
//     between its start and its end. A recording's number is lowered to that of the oldest
//     snapshot which was read.
//   - What a statement reads is subscribed, or the recording is Unknown. What it writes is
//     told to every Sink after the commit has returned and before the application goes on,
//     or everything is. A rollback tells nothing; a commit whose outcome is not known tells.
//   - Statements of its own run only on an idle connection, or in a transaction of SQLite
//     where an error of theirs changes nothing for the application.
//   - No panic leaves it, and all that it remembers has a bound.
//
// The package imports the packages beside it and cascade/tag, and of database/sql nothing
// but the types of package driver.
//
// # Traps
//
//   - Arguments belong to the application. They are evaluated before Start returns, and
//     nothing that a later row or End needs is taken from them afterwards.
//   - A Session is of one goroutine at a time, a recording of any. What a recording takes of
//     an Execution is under Execution.mu, what it may ask of the Session is atomic. The
//     locks are taken in the order registry, recording, execution.
//   - Tags are made after the commit, with the shapes of that moment: see
//     rowtag.Generation. A commit that was analyzed with another catalog than the one of
//     now is a change of everything: see state.
//   - "No rows affected" means nothing where a trigger, a rule or a policy may have done
//     something else: Write.Plain.
//   - A statement that failed may have written, and in SQLite it may have ended the
//     transaction. A COMMIT that failed may be tried again. What is pending is told, and
//     stays pending.
//   - Functions share their code, and objects without a size their address: neither tells
//     one result of a resolver from another.
package observe
