package gqlcache

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/cascadeql/cascadeql/gqlcache/changelog"
	"github.com/cascadeql/cascadeql/gqlcache/inspect"
)

const (
	// minSecret is the least length of a secret of InvalidateHandler.
	minSecret = 32
	// maxChangesBody bounds the body of a request to InvalidateHandler, in bytes.
	maxChangesBody = 1 << 20
)

// InvalidateHandler returns Invalidate as an HTTP handler, for programs in other
// languages that change the data. A program sends a request after its commit:
//
//	POST /changes HTTP/1.1
//	Authorization: Bearer <secret>
//	Content-Type: application/json
//
//	{"changes": [
//	  {"row": {"type": "User", "id": "u1"}},
//	  {"view": "v_post"},
//	  {"where": {"type": "Comment", "column": "post.id", "value": "p1"}},
//	  {"operation": "Feed"},
//	  {"operationsMatching": "feed*"},
//	  {"tag": "pricing"},
//	  {"computed": "leaderboard"},
//	  {"computedMatching": "sales/*"},
//	  {"tenant": "acme"},
//	  {"everything": true}
//	]}
//
// The kinds are Entity, View, Where, Operation, OperationsMatching, Tag, Computed,
// ComputedMatching, Tenant and Everything. The type of a row, or of rows with a value, may
// be the name of a view. An id is a string or a number, spelled like the keys that the server
// shows, a value is one of these or a truth value, and neither is empty. A number keeps all
// its digits. A change but that of a tenant reaches the answers of all tenants. The body has
// at most 1 MiB.
//
// Each secret is good: a second one is for the time in which programs change from one to
// the other. The error wraps ErrOptions, and contains no part of a secret. There must be
// a secret, and each must have at least 32 characters, of visible ASCII alone.
//
// The handler checks the whole request before anything is dropped. A request is applied
// as a whole or refused. Refused are, beside wrong types and names: a field that the
// handler does not know, a field that comes twice, an empty list, an empty name or id,
// and text behind the document. The answer is JSON. Its "applied" is the number of
// changes that were applied: of all, or 0. Beside 0, and with every status but 200,
// "error" says why. The status is
//
//   - 200 when the changes are applied. No request that starts later gets an answer of
//     this instance from before. On the others it is as after a mutation: "consistency"
//     is "bounded" when they may serve such answers until their leases end. With
//     Options.Tokens there is a "token" for readers, see TokenHeader. Both are in
//     headers, too.
//   - 503 with all applied, and "pending" as "consistency", when the log has not taken
//     the changes. They are applied on this instance, and on the others when the log is
//     back.
//   - 503 with 0 applied when the cache is closed, or does not know its schema yet.
//   - 400 when the document is wrong, 422 when the schema does not have a name in it.
//     "error" names the change by its index.
//   - 401, 405, 413 or 415 for the secret, the method, the size or the media type.
//
// A program may send a request again, and does so after a 503 and after a connection that
// broke: a change that is applied twice only drops more. The handler applies the changes
// of a request that it has read even if the client does not wait for the answer. It waits
// for other instances as Invalidate does. It may be called concurrently.
func (c *Cache) InvalidateHandler(secrets ...string) (http.Handler, error) {
	if c.unmade() {
		return nil, errUnmade
	}
	if len(secrets) == 0 {
		return nil, fmt.Errorf("%w: InvalidateHandler has no secret; give it a random text of at least %d characters", ErrOptions, minSecret)
	}
	h := &invalidateHandler{cache: c}
	var faults []error
	for i, s := range secrets {
		faults = append(faults, checkSecret(i, s))
		h.digests = append(h.digests, sha256.Sum256([]byte(s)))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	return h, nil
}

// checkSecret returns the fault of a secret. The error does not contain any of it.
func checkSecret(i int, secret string) error {
	invisible := func(r rune) bool { return r <= ' ' || r > '~' }
	switch {
	case strings.ContainsFunc(secret, invisible):
		return fmt.Errorf("secret %d of InvalidateHandler has a space, a line break or another character that is not visible ASCII; take it out", i)
	case len(secret) < minSecret:
		return fmt.Errorf("secret %d of InvalidateHandler has %d characters; it must have at least %d, and be random", i, len(secret), minSecret)
	}
	return nil
}

// An invalidateHandler is a Cache's InvalidateHandler.
type invalidateHandler struct {
	cache *Cache
	// digests are those of the secrets. All have one length, so that the time of their
	// comparison does not depend on that of a secret.
	digests [][sha256.Size]byte
}

// invalidated is the handler's answer.
type invalidated struct {
	Applied int `json:"applied"`
	mutationExtension
	Error string `json:"error,omitempty"`
}

// A refusal is the reason why nothing of a request was applied.
type refusal struct {
	status  int
	message string
}

// ServeHTTP implements http.Handler.
func (h *invalidateHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	changes, refused := h.read(w, r)
	if refused != nil {
		answerJSON(w, refused.status, invalidated{Error: refused.message})
		return
	}
	by := inspect.Cause{Kind: causeManual, Name: "InvalidateHandler"}
	// The data has changed already. So the end of the request ends neither the change nor
	// the wait for other instances.
	p, err := h.cache.invalidate(context.WithoutCancel(r.Context()), by, changes...)
	if err != nil && !p.Shared {
		answerJSON(w, http.StatusServiceUnavailable, invalidated{Error: unavailable(err)})
		return
	}
	status, answer := http.StatusOK, invalidated{Applied: len(changes), mutationExtension: h.cache.confession(p.Publication)}
	if err != nil {
		status, answer.Error = http.StatusServiceUnavailable, notPublished(err)
	}
	answer.setHeaders(w.Header())
	answerJSON(w, status, answer)
}

// read returns the changes of a request when all of them may be applied.
func (h *invalidateHandler) read(w http.ResponseWriter, r *http.Request) ([]Change, *refusal) {
	switch {
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		return nil, &refusal{http.StatusMethodNotAllowed, "send changes with POST"}
	case !h.knows(r.Header["Authorization"]):
		w.Header().Set("WWW-Authenticate", "Bearer")
		return nil, &refusal{http.StatusUnauthorized, "the header Authorization must be Bearer, a space, and the secret"}
	case !isPlainJSON(r.Header):
		return nil, &refusal{http.StatusUnsupportedMediaType, "the body must be JSON in UTF-8, not compressed, with the header Content-Type: application/json"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxChangesBody))
	if errors.As(err, new(*http.MaxBytesError)) {
		return nil, &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes; send fewer changes, or one of the whole view", maxChangesBody)}
	}
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, "the body could not be read to its end; send it again"}
	}
	changes, err := readChanges(body)
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, err.Error()}
	}
	return changes, h.cache.refuseChanges(changes)
}

// knows reports whether there is one Authorization header, and a secret in it.
func (h *invalidateHandler) knows(authorization []string) bool {
	if len(authorization) != 1 {
		return false
	}
	scheme, secret, _ := strings.Cut(authorization[0], " ")
	digest, found := sha256.Sum256([]byte(strings.TrimLeft(secret, " "))), 0
	for _, d := range h.digests { // all of them, so that the time does not depend on which
		found |= subtle.ConstantTimeCompare(digest[:], d[:])
	}
	return found == 1 && strings.EqualFold(scheme, "Bearer")
}

// isPlainJSON reports whether a header announces JSON in UTF-8 that is not compressed.
func isPlainJSON(h http.Header) bool {
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	charset := params["charset"]
	return err == nil && media == "application/json" && (charset == "" || strings.EqualFold(charset, "utf-8")) &&
		h.Get("Content-Encoding") == ""
}

// refuseChanges returns the fault of the first change that Invalidate would not take, and
// nil when it takes all. Invalidate itself looks at no other change beside Everything.
func (c *Cache) refuseChanges(changes []Change) *refusal {
	for i, ch := range changes {
		if ch.kind == changeEverything {
			continue
		}
		err := c.fault(ch)
		switch {
		case errors.Is(err, ErrNoSchema):
			return &refusal{http.StatusServiceUnavailable, unavailable(err)}
		case errors.Is(err, ErrUnknownName):
			return &refusal{http.StatusUnprocessableEntity, fmt.Sprintf("changes[%d]: the server's schema has no %s; correct it, or send {\"everything\": true}", i, missing(&ch))}
		case err != nil && ch.kind == changeWhere:
			return &refusal{http.StatusBadRequest, fmt.Sprintf("changes[%d]: the value is none that is told apart from others; name the whole view", i)}
		case err != nil && ch.isPattern():
			return &refusal{http.StatusBadRequest, fmt.Sprintf("changes[%d]: %s", i, strings.TrimPrefix(err.Error(), "gqlcache: "))}
		case err != nil:
			return &refusal{http.StatusBadRequest, fmt.Sprintf("changes[%d]: the id is no key; use a string or a number", i)}
		}
	}
	return nil
}

// fault returns why Invalidate would not take a change. A pattern is not compared with all
// names for that.
func (c *Cache) fault(ch Change) error {
	if ch.isPattern() && c.schema.Load() != nil {
		return ch.patternFault()
	}
	return c.name(&change{}, ch)
}

// missing says what the schema does not have that a change names.
func missing(ch *Change) string {
	if ch.kind == changeWhere {
		return fmt.Sprintf("view, and no type with a key, of the name %s with a column %s", quoted(ch.name), quoted(ch.column))
	}
	return fmt.Sprintf("view, and no type with a key, of the name %s", quoted(ch.name))
}

// unavailable says why an instance applies no changes.
func unavailable(err error) string {
	switch {
	case errors.Is(err, ErrClosed):
		return "the cache of this instance is closed; send the changes to another one"
	case errors.Is(err, ErrNoSchema):
		return "this instance has no schema yet, by which it could know the names; send the changes again, or {\"everything\": true}"
	}
	return "this instance could not apply the changes; send them again"
}

// notPublished says what becomes of changes that the log has not taken.
func notPublished(err error) string {
	if errors.Is(err, changelog.ErrPending) {
		return "the log has not taken the changes: they are applied on this instance, and on the others when the log is back; to send them again does no harm"
	}
	return "the log has refused the changes: they are applied on this instance only; send them again"
}

// answerJSON writes an answer that nobody may keep.
func answerJSON(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may have left
}
