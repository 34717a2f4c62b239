package gqlcache

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

// knowBuild sets Build where it is needed and not given. executable returns the digest of the running program.
func (o *Options) knowBuild(executable func() (string, error)) {
	if o.Build != "" || o.Log == nil || o.Shared == nil && o.Partition == nil {
		return
	}
	revision, modified := revision()
	digest, err := executable()
	switch {
	case err == nil:
		o.Build = "revision " + revision + " modified " + modified + " executable " + digest
	case revision != "" && modified == "false":
		o.Build = "revision " + revision
	}
	// A revision with changes of which nothing is known names many builds, and none.
}

// revision returns what the linker has noted of the sources, "" for what it has not: outside of a repository,
// with -buildvcs=false, and in tests.
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

// executable returns the SHA-256 of the running program. It is read once in a process. On Linux the file is that
// which runs, also when another one has taken its place, or it was removed; elsewhere the one that is there now.
var executable = sync.OnceValues(func() (string, error) {
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

// keyOfBuild returns what begins the keys of a build's entries in Options.Shared.
func keyOfBuild(build string) []byte {
	sum := sha256.Sum256([]byte("build " + build))
	return append([]byte{sharedKeyVersion}, sum[:16]...)
}

// sharedKeyVersion is the first byte of every key in Options.Shared. It changes with their layout.
const sharedKeyVersion = 2

// sharedKey returns the key of an answer in Options.Shared: the build and the key in this process.
func (c *Cache) sharedKey(key string) []byte {
	return append(append(make([]byte, 0, len(c.buildKey)+len(key)), c.buildKey...), key...)
}

// recordBuild names a build in records, never by 0. A build that is not known is like no other.
func recordBuild(build string) uint64 {
	sum := sha256.Sum256([]byte("build " + build))
	if build == "" {
		_, _ = rand.Read(sum[:]) // never fails
	}
	return max(1, binary.LittleEndian.Uint64(sum[16:]))
}
