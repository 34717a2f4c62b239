// Package docs has the tests of the repository's Markdown pages: each snippet in them is
// parsed, type-checked or compiled, and each link leads somewhere.
package docs
