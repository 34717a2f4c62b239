// mercurius, compiled by its JIT, with mercurius-cache, per tenant.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import cache from 'mercurius-cache'
import { feed, listening, typeDefs } from './feed.mjs'

const app = Fastify()
app.register(mercurius, {
  schema: typeDefs,
  resolvers: { Query: { feed } },
  jit: 1,
  context: (request) => ({ tenant: request.headers['x-tenant'] }),
})
app.register(cache, {
  ttl: 3600,
  policy: { Query: { feed: { extendKey: (_source, _args, context) => context.tenant } } },
})
await app.listen({ port: 0, host: '127.0.0.1' })
listening(app.server.address().port)
