package keycheck

import (
	"sync"
	"time"
)

// A Caller is a digest of the predicate and of the headers that say who calls.
type Caller uint64

// A Key is what is known of a computation's key, and of who caused it.
type Key struct {
	// Operation is the operation's name, for reports. Value says that it is no operation,
	// but a value that a program computes under a key of that name.
	Operation string
	Value     bool
	// Document is a hash of the operation's text without its literals. Documents that
	// differ only in literals should have one hash: what is learned of one holds for the
	// others.
	Document uint64
	// Literals are those of the document, in the order of the text.
	Literals []any
	// Variables are the request's. They must not change before End.
	Variables map[string]any
	// Predicate is that of the key.
	Predicate string
	// Vary are the further parts of the key. Their number is the same for all requests.
	Vary []string
	// Caller says who.
	Caller Caller
	// Known are values for which the owner of the server vouches.
	Known []any
}

// Options of a Checker.
type Options struct {
	// MaxBytes bounds the memory, about. Defaults to 4 MB.
	MaxBytes int
	// Callers is how many callers must have confirmed an explanation before it counts for
	// more than a coincidence, from 2 to 4. Defaults to 2.
	Callers int
	// Now is replaced by tests. Defaults to time.Now.
	Now func() time.Time
}

// A Position is a place where a value enters a statement.
type Position struct {
	// Operation is the name of the operation, Field the path of the field that sent the
	// statement, "" when that is not known. Value is that of the Key.
	Operation, Field string
	Value            bool
	// Text is the beginning of the statement's text. Ordinal is the argument's number,
	// from 1, 0 for a setting, which Setting names.
	Text    string
	Ordinal int
	Setting string
	// Of is the name of the values whose key has the value, in place of a statement, and
	// Part what it is there.
	Of, Part string
	// Clock says that the value is about the time of the computation.
	Clock bool
	// New says that this computation convicted it: what is stored of the operation should
	// be dropped, and one line reported.
	New bool
}

// A Verdict says what may be done with the answer of a computation.
type Verdict struct {
	// Convicted are the positions whose values come from nowhere that the key has. When
	// there is one, the answer is not stored.
	Convicted []Position
	// Coincidental says that some value is explained, but may be so by coincidence. The
	// answer may be stored for the same Caller only.
	Coincidental bool
}

// A Checker keeps what was learned of positions. It may be used concurrently.
type Checker struct {
	opts Options
	pool sync.Pool // of *buffers

	mu struct {
		sync.Mutex
		// settled are positions that were convicted, or that Callers callers have
		// confirmed; a single client does not make them go by sending new operations.
		fresh, settled table[position]
		pairs          table[pair]
	}
}

// New returns a Checker.
func New(o Options) *Checker {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 4 << 20
	}
	if o.Callers == 0 {
		o.Callers = 2
	}
	o.Callers = min(max(o.Callers, 2), maxCallers)
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Checker{opts: o}
	c.pool.New = func() any { return new(buffers) }
	c.mu.fresh.limit = o.MaxBytes / 4
	c.mu.settled.limit = o.MaxBytes / 2
	c.mu.pairs.limit = o.MaxBytes / 4
	return c
}

// Forget forgets everything that was learned, convictions included.
func (c *Checker) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.fresh.clear()
	c.mu.settled.clear()
	c.mu.pairs.clear()
}

// Begin begins the check of one computation. End must be called.
func (c *Checker) Begin(k Key) *Fill {
	return &Fill{c: c, key: k, start: c.opts.Now(), b: c.buffers()}
}
