// Package lint checks what the compiler does not: which package may import which, and a
// few habits. Its tests read the module's files themselves. A test that asked the go
// command would be cached by files that it did not open, and could pass on what is no
// longer there.
package lint
