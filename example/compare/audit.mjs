// The audits of graphql-http, https://github.com/graphql/graphql-http, against the example without its cache
// and with it: node audit.mjs. Each is run twice on the server with the cache, so that the second finds what
// the first has stored. It fails when a verdict differs.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { auditServer } from 'graphql-http'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dir = await mkdtemp(join(tmpdir(), 'cascadeql-audit-'))
const program = join(dir, 'example')

const ended = (child) => new Promise((resolve) => child.once('exit', resolve))

const tenant = '11111111-1111-4111-8111-111111111111'
const ask = (url, init = {}) => fetch(url, { ...init, headers: { ...init.headers, 'X-Tenant': tenant } })

// verdicts starts the example and runs the audits so many times.
async function verdicts(cache, rounds) {
  const server = spawn(program, { env: { ...process.env, PORT: '0', CACHE: cache }, stdio: ['ignore', 'pipe', 'inherit'] })
  const stopped = ended(server)
  try {
    let url
    for await (const line of createInterface({ input: server.stdout })) {
      if ((url = line.match(/^listening on (\S+)/)?.[1])) break
    }
    server.stdout.resume()
    const all = []
    for (let i = 0; i < rounds; i++) all.push(await auditServer({ url: `${url}/graphql`, fetchFn: ask }))
    return all
  } finally {
    server.kill()
    await stopped
  }
}

try {
  const build = spawn('go', ['build', '-o', program, './example'], { cwd: root, stdio: 'inherit' })
  if ((await ended(build)) !== 0) throw new Error('the example does not build')
  const [off] = await verdicts('off', 1)
  const on = await verdicts('on', 2)
  const counts = {}
  let differ = 0
  off.forEach((audit, i) => {
    const got = [audit, ...on.map((round) => round[i])]
    const states = got.map((a) => a.status)
    counts[audit.status] = (counts[audit.status] ?? 0) + 1
    const same = states.every((s) => s === states[0]) && got.every((a) => a.reason === audit.reason)
    if (!same) differ++
    if (!same || audit.status !== 'ok') console.log(`${same ? 'same' : 'DIFFERS'}  ${states.join(' ')}  ${audit.id} ${audit.name}`)
    if (!same) got.forEach((a) => console.log(`    ${a.reason ?? 'no reason'}`))
  })
  console.log(`${off.length} audits, without the cache ${JSON.stringify(counts)}; ${differ} differ with it`)
  process.exitCode = off.length > 0 && differ === 0 ? 0 : 1
} finally {
  await rm(dir, { recursive: true, force: true })
}
