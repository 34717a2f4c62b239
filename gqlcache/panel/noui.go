//go:build gqlcache_noui

package panel

// assets were left out by the build tag gqlcache_noui.
var assets map[string]*asset
