package redislog

import (
	"syscall"
	"time"
	"unsafe"
)

// clockBoottime is CLOCK_BOOTTIME: monotonic, and running while the machine sleeps.
const clockBoottime = 7

// now reads the clock of leases. Go's own monotonic clock stands still while the machine
// is suspended: an instance would wake up hours later with a lease that looks valid.
func now() time.Duration {
	var ts syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockBoottime, uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		return goMonotonic() // always so on this machine, and then the clock never changes
	}
	return time.Duration(ts.Nano())
}
