// Package redistest starts redis-servers for tests, and gets in between a client and its server. It is for
// tests only.
package redistest
