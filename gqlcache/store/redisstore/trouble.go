package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"

	"github.com/cascadeql/cascadeql/gqlcache/internal/safe"
)

// Errors that callers may tell apart.
var (
	// ErrUnavailable is returned, at once, while the breaker is open.
	ErrUnavailable = errors.New("redisstore: Redis is not asked: it has failed repeatedly")
	// ErrTimeout is wrapped when Redis has not answered in time.
	ErrTimeout = errors.New("redisstore: timeout")
	// ErrDropped is returned by writes under Behind when the queue is full.
	ErrDropped = errors.New("redisstore: the queue of writes is full")
	// ErrNotFlushed is wrapped by Close when queued writes were lost or calls still run.
	ErrNotFlushed = errors.New("redisstore: closed before everything was written")
)

// A Fault is an error of a call to Redis. Its text names the kind of trouble and nothing
// of what was sent or answered, since Redis and the client quote both; the cause is left
// for errors.Is and As.
type Fault struct {
	// Op is what was tried: "get", "put", "delete", "scan".
	Op string
	// Trouble says what is wrong, and what to do.
	Trouble string
	cause   error
}

// Error names the operation and the trouble.
func (f *Fault) Error() string { return "redisstore: " + f.Op + ": " + f.Trouble }

// Unwrap returns the cause. Its text may quote keys, values and user names: do not log
// it.
func (f *Fault) Unwrap() error { return f.cause }

// fault wraps the error of a call.
func fault(op string, err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return &Fault{Op: op, Trouble: diagnose(err), cause: err}
}

// answers says what the codes mean that Redis's errors begin with.
var answers = map[string]string{
	"NOAUTH":      "Redis wants a password; set one in the client's options or the URL",
	"WRONGPASS":   "Redis refuses the user name or the password",
	"NOPERM":      "the Redis user may not run a command, or touch a key, that the store needs: PTTL, GETRANGE, SET, UNLINK, EVAL and SCAN on the keys below the prefix",
	"OOM":         "Redis is full and evicts nothing; raise maxmemory, or choose a maxmemory-policy that evicts",
	"READONLY":    "this Redis is a replica; connect to its primary",
	"MISCONF":     "Redis refuses writes because it cannot save to disk",
	"NOREPLICAS":  "Redis refuses writes because too few of its replicas are connected",
	"BUSY":        "Redis is busy with a script",
	"LOADING":     "Redis is still loading its data",
	"MASTERDOWN":  "this Redis is a replica that has lost its primary",
	"CLUSTERDOWN": "the Redis Cluster does not serve this slot",
	"WRONGTYPE":   "a key below the prefix holds something that is no string; another program uses the prefix",
	"NOSCRIPT":    "Redis does not know a script",
	"MOVED":       "this Redis belongs to a cluster; use a cluster client",
	"ASK":         "this Redis belongs to a cluster; use a cluster client",
}

// diagnose says what an error means, in words that hold nothing of its text.
func diagnose(err error) string {
	var reply redis.Error
	var record tls.RecordHeaderError
	var dns *net.DNSError
	var network net.Error
	var op *net.OpError
	switch {
	case errors.As(err, &reply):
		return diagnoseReply(reply.Error())
	case errors.Is(err, redis.ErrClosed):
		return "the client is closed"
	case errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted):
		return "all connections of the client are busy; raise its PoolSize"
	case errors.As(err, &record):
		return "the server does not speak TLS; the URL should begin with redis://"
	case errors.As(err, &dns):
		return "the host name cannot be resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at the address"
	case errors.Is(err, ErrTimeout), errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the server has closed the connection"
	case errors.As(err, &op) && op.Op == "dial":
		return "the server cannot be reached"
	case strings.Contains(err.Error(), "can't parse"), strings.Contains(err.Error(), "invalid reply"):
		return "the answer is not in Redis's protocol; is this the address of a Redis server?"
	}
	return "the call failed"
}

// diagnoseReply knows an error of Redis by its first word.
func diagnoseReply(text string) string {
	code, _, _ := strings.Cut(text, " ")
	if known, ok := answers[code]; ok {
		return known
	}
	switch {
	case strings.HasPrefix(text, "ERR unknown command"):
		return "the server does not know a command that the store needs: PTTL, GETRANGE, SET, UNLINK, EVAL, SCAN"
	case strings.HasPrefix(text, "ERR max number of clients"):
		return "Redis has too many clients; raise its maxclients"
	}
	return "Redis refuses"
}

// A log writes the lines of a store.
type log struct {
	safe.Once
	server string
}

// once logs a trouble of a call, unless it was logged before.
func (l *log) once(op, trouble string) {
	l.WarnWith(op+trouble, "redisstore: trouble; the requests go on without",
		"op", op, "trouble", trouble, "server", l.server)
}

// breaker says that the breaker has opened or closed.
func (l *log) breaker(to State, why error) {
	if to == Closed {
		l.Log.Info("redisstore: Redis answers again", "server", l.server)
		return
	}
	trouble := ""
	if why != nil {
		trouble = diagnose(why)
	}
	l.Log.Warn("redisstore: Redis is left alone, but for a call every CoolDown to try", "trouble", trouble, "server", l.server)
}

// address returns where a client connects to, without user and password.
func address(c redis.UniversalClient) string {
	switch c := c.(type) {
	case *redis.Client:
		return c.Options().Addr
	case *redis.ClusterClient:
		return strings.Join(c.Options().Addrs, ",")
	}
	return ""
}
