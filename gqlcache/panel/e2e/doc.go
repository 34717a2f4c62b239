// Package e2e drives the playground page in a real browser, against the example server
// and the embedded assets. It is a module of its own, so that the browser's driver
// reaches no importer.
//
// The tests need Chromium, in PATH or named by CHROME, and are skipped without; .ci/run
// installs it and fails for a skipped test. Screenshots go to SCREENSHOTS, a directory,
// if that is set.
package e2e
