package cascade

// cacheHint is one @cacheControl.
type cacheHint struct {
	maxAge     int // seconds; -1 when not given
	scope      Scope
	inheritAge bool
}

// Scope says who may share an answer.
type Scope uint8

// The scopes of @cacheControl; ScopeUnset when it does not say.
const (
	ScopeUnset Scope = iota
	ScopePublic
	ScopePrivate
)
