// Package pgtest starts a PostgreSQL server for tests, one for each test binary, and
// hands out empty databases in it. It is for tests only.
//
// The server belongs to nobody but the test binary: its data is in a directory of its
// own, it listens on a Unix socket there and on no port, and it ends with the binary,
// however that ends. It writes nothing through to the disk.
//
// # Traps
//
//   - A process that is killed runs no cleanup. A shell between the binary and the server
//     waits for the end of a pipe whose other end is the binary's, and then ends the
//     server and removes its data.
//   - PostgreSQL refuses to run as root. For root the server runs as the user postgres or
//     nobody, who must be able to reach the directory for temporary files.
//   - The user of the URL is a superuser, to whom no row-level-security policy applies.
package pgtest
