package redistest

import (
	"flag"
	"runtime"
	"strconv"
)

// WaitInParallel lets so many tests of the package run at once on a machine with fewer
// processors. Most tests over a redis-server wait: for a lease to end, or for a server to
// start. The flag -parallel wins. TestMain calls it before it runs the tests.
func WaitInParallel(atOnce int) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given || runtime.GOMAXPROCS(0) >= atOnce {
		return
	}
	if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil {
		panic(err) // outside of a test binary
	}
}
