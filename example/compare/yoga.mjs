// GraphQL Yoga with its response cache, per tenant.
import { createServer } from 'node:http'
import { createSchema, createYoga } from 'graphql-yoga'
import { useResponseCache } from '@graphql-yoga/plugin-response-cache'
import { feed, listening, typeDefs } from './feed.mjs'

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers: { Query: { feed } } }),
  plugins: [useResponseCache({ session: (request) => request.headers.get('x-tenant'), ttl: 3_600_000 })],
  logging: false,
})
const server = createServer(yoga)
server.listen(0, '127.0.0.1', () => listening(server.address().port))
