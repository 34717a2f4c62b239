package safe

import "time"

// Clock returns a function that tells the time of now. When now panics it tells the time
// of the system, as much later or earlier as now was when it was wrapped, and calls
// failed, which may be called often and from any goroutine. So what was stored by one of
// the two expires by the other. It does not allocate.
func Clock(now func() time.Time, failed func(error)) func() time.Time {
	var offset time.Duration
	ask := func() (t time.Time) {
		defer func() {
			if p := recover(); p != nil {
				t = time.Now().Add(offset)
				failed(panicked(p))
			}
		}()
		return now()
	}
	offset = time.Until(ask())
	return ask
}
