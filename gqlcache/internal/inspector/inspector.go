package inspector

import (
	"sync"
	"time"

	"github.com/cascadeql/cascadeql/gqlcache/inspect"
	"github.com/cascadeql/cascadeql/gqlcache/internal/plans"
	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
	"github.com/cascadeql/cascadeql/gqlcache/internal/watch"
)

// Config is what an inspector works with.
type Config struct {
	// Listens says that somebody may watch.
	Listens bool
	// HideIDs and HideVariables are those of the options.
	HideIDs, HideVariables bool
	// Vary says that keys have parts of Options.Vary.
	Vary bool
	// Several says that other instances hear of changes.
	Several bool
	// Now returns the time.
	Now func() time.Time
	// Schema returns the schema, nil before there is one.
	Schema func() *plans.Schema
	// Failed gets each panic in here as an error, on any goroutine. It must not panic.
	Failed func(error)
}

// An Inspector says what happened, to those who may ask. Its methods are safe for
// concurrent use.
type Inspector struct {
	config  Config
	shield  safe.Shield
	watch   *watch.Recorder // nil when nobody may watch
	samples samples
	secret  [32]byte // of fingerprints
	lint    sync.Once
	unsaid  []inspect.Warning // what lint has found
}

// New returns an inspector whom nobody has asked yet. Close it when the cache is closed.
func New(c Config) *Inspector {
	i := &Inspector{config: c, shield: safe.Shield{Failed: c.Failed}, secret: newSecret()}
	if c.Listens {
		i.watch = watch.New(watch.Options{Now: c.Now, HideIDs: c.HideIDs})
	}
	return i
}
