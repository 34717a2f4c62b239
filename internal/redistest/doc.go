// Package redistest starts redis-servers for tests, and gets in between a client and its
// server. It is for tests only.
//
// # Traps
//
//   - Another process may take a port that a listener has given up. A Proxy cuts its link
//     by ending the connections, and keeps the port.
package redistest
