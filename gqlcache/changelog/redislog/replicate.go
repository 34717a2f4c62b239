package redislog

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// replicaWait is how long a change waits for a replica.
const replicaWait = 50 * time.Millisecond

// runReplicated is runPublish, followed on the same connection by WAIT for one replica.
// That it is not answered in time is no failure: a promoted replica that lacks the record
// begins a new epoch. It only makes that rarer.
func (s *server) runReplicated(ctx context.Context, args []any) ([]any, error) {
	var node *redis.Client
	switch c := s.client.(type) {
	case *redis.Client:
		node = c
	case *redis.ClusterClient:
		master, err := c.MasterForKey(ctx, s.control)
		if err != nil {
			return s.runPublish(ctx, args)
		}
		node = master
	}
	script, replicas, err := withWait(ctx, node, func(pipe redis.Pipeliner) *redis.Cmd {
		return publishScript.EvalSha(ctx, pipe, s.keys, args...)
	})
	if redis.HasErrorPrefix(err, "NOSCRIPT") { // the first time on a server
		script, replicas, err = withWait(ctx, node, func(pipe redis.Pipeliner) *redis.Cmd {
			return publishScript.Eval(ctx, pipe, s.keys, args...)
		})
	}
	if err != nil {
		if !refused(err) {
			return nil, err
		}
		return s.runPublish(ctx, args) // the slot has moved
	}
	if n, err := replicas.Int(); err != nil {
		s.report.begin(troubleWAIT, err)
	} else if n == 0 {
		s.report.begin(troubleWAIT, nil)
	} else {
		s.report.end(troubleWAIT)
	}
	return script.Slice()
}

// withWait runs a script and WAIT on one connection. The error is the script's.
func withWait(ctx context.Context, node *redis.Client, run func(redis.Pipeliner) *redis.Cmd) (script, replicas *redis.Cmd, err error) {
	pipe := node.Pipeline()
	script = run(pipe)
	replicas = pipe.Do(ctx, "WAIT", 1, replicaWait.Milliseconds())
	_, _ = pipe.Exec(ctx) // each command has its own error
	return script, replicas, script.Err()
}

// refused reports whether a server has answered that it did not run a command.
func refused(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer)
}
