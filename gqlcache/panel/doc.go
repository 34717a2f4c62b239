// Package panel serves the playground: GraphiQL with a panel that shows what the cache
// did for each operation, and what it does for all of them.
//
// Handler has the signature of gqlgen's playground.Handler, so that changing one import
// is enough:
//
//	http.Handle("/", panel.Handler("Blog", "/graphql"))
//
// What the panel shows comes over the GraphQL endpoint itself, see gqlcache.Inspector:
// there is no other route, and the server's own authentication applies. A server without
// an inspector, or whose inspector does not allow the user, still has a playground; the
// panel then says that it has no data.
//
// Everything the page needs is embedded; it loads nothing from anywhere else and works
// without a network. It is served from the page's own URL, ?gqlcache=app.js, so that it
// works behind routers that match exactly. The Content-Security-Policy allows no inline
// script and no other origin than an absolute endpoint's. The licenses of what is bundled
// are at ?gqlcache=LICENSES.txt. The build tag gqlcache_noui leaves the assets out, 1.6
// MB: the handler then answers with 404.
//
// The sources are in ui, and make panel builds them.
package panel
