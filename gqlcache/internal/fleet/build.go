package fleet

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"runtime/debug"
	"sync"
)

// BuildOf returns a name for the build of the running program, "" when nothing tells it
// from another. executable returns the digest of the program: it is Executable, but in
// tests.
func BuildOf(executable func() (string, error)) string {
	revision, modified := revision()
	digest, err := executable()
	switch {
	case err == nil:
		return "revision " + revision + " modified " + modified + " executable " + digest
	case revision != "" && modified == "false":
		return "revision " + revision
	}
	// A revision with changes of which nothing is known names many builds, and none.
	return ""
}

// revision returns the linker's notes of the sources. They are "" outside of a
// repository, with -buildvcs=false, and in tests.
func revision() (revision, modified string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", ""
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			modified = s.Value
		}
	}
	return revision, modified
}

// Executable returns the SHA-256 of the running program's file. It reads the file once in
// a process. On Linux it is the file that runs, also when another one has taken its
// place, or it was removed; elsewhere it is the file that is there now.
var Executable = sync.OnceValues(func() (string, error) {
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		name, nameErr := os.Executable()
		if nameErr != nil {
			return "", nameErr
		}
		if f, err = os.Open(name); err != nil {
			return "", err
		}
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
})

// keyPrefix returns what begins the keys of a build's entries in the shared store.
func keyPrefix(build string) []byte {
	sum := sha256.Sum256([]byte("build " + build))
	return append([]byte{keyVersion}, sum[:16]...)
}

// keyVersion is the first byte of every key in the shared store. It changes with their
// layout.
const keyVersion = 2

// recordBuild names a build in records, never by 0. A build that is not known is like no
// other.
func recordBuild(build string) uint64 {
	sum := sha256.Sum256([]byte("build " + build))
	if build == "" {
		_, _ = rand.Read(sum[:]) // never fails
	}
	return max(1, binary.LittleEndian.Uint64(sum[16:]))
}
