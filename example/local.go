package main

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
)

type localKey struct{}

// isLocal says whether a request comes from this machine, as far as markLocal can tell.
func isLocal(ctx context.Context) bool {
	local, _ := ctx.Value(localKey{}).(bool)
	return local
}

// markLocal notes whether a request comes from this machine: both ends of its connection
// are loopback addresses, it is for a name of this machine, and no proxy has passed it
// on. The name matters because a web site may let its own name point to 127.0.0.1, and
// its scripts count as of one origin then.
func markLocal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fromLoopback(r) {
			r = r.WithContext(context.WithValue(r.Context(), localKey{}, true))
		}
		next.ServeHTTP(w, r)
	})
}

func fromLoopback(r *http.Request) bool {
	here, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok || !loopback(here.String()) || !loopback(r.RemoteAddr) {
		return false
	}
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	return slices.Contains([]string{"localhost", "127.0.0.1", "[::1]", "::1"}, host)
}

func loopback(address string) bool {
	at, err := netip.ParseAddrPort(address)
	return err == nil && at.Addr().Unmap().IsLoopback()
}
