// Apollo Server with its response cache, per tenant.
import { ApolloServer } from '@apollo/server'
import { ApolloServerPluginCacheControl } from '@apollo/server/plugin/cacheControl'
import { startStandaloneServer } from '@apollo/server/standalone'
import responseCache from '@apollo/server-plugin-response-cache'
import { feed, listening, typeDefs } from './feed.mjs'

const cachePlugin = responseCache.default ?? responseCache
const server = new ApolloServer({
  typeDefs,
  resolvers: { Query: { feed } },
  csrfPrevention: true,
  plugins: [
    ApolloServerPluginCacheControl({ defaultMaxAge: 3600 }),
    cachePlugin({ extraCacheKeyData: async ({ request }) => request.http.headers.get('x-tenant') }),
  ],
})
const { url } = await startStandaloneServer(server, { listen: { port: 0, host: '127.0.0.1' } })
listening(new URL(url).port)
