/** A program that closes its replica ends by itself, whatever the network does. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Runtime } from '@rejoin/core'
import { createRelay, nodeRuntime } from '@rejoin/relay'
import { openTcpProxy } from '@rejoin/testkit/tcp-proxy'
import { openRawClient } from '../chaos/harness/raw-client.ts'

const script = join(import.meta.dirname, 'harness/closing-script.ts')

test('with a relay: the write is there, and the program ends', async () => {
  const { url } = await listen()
  expect(await ended(run(url, 'relay'))).toMatchObject({ code: 0, errors: '' })
})

test('with nobody at the address', async () => {
  expect(await ended(run('ws://127.0.0.1:9', 'local'))).toMatchObject({ code: 0, errors: '' })
})

test('with somebody who accepts the connection and says nothing', async () => {
  const server = createServer(() => {})
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  expect(await ended(run(`ws://127.0.0.1:${port}`, 'local'))).toMatchObject({ code: 0, errors: '' })
})

test('with a relay whose network went silent in the middle', async () => {
  const { port } = await listen()
  const proxy = await openTcpProxy(port)
  onTestFinished(() => proxy.close())
  const child = run(`ws://127.0.0.1:${proxy.port}`, 'parent')
  const end = ended(child)
  await new Promise<void>(resolve => {
    child.on('message', connection => {
      if (connection === 'online') resolve()
    })
  })
  proxy.blackHole()
  child.send('broken')
  expect(await end).toMatchObject({ code: 0, errors: '' })
})

test('a program that never closes its replica goes on, since it may still have to be told', async () => {
  const { url } = await listen()
  const child = run(url, 'never')
  const output = await new Promise<string>(resolve => {
    child.stdout?.once('data', (text: Buffer) => resolve(String(text)))
    child.once('close', () => resolve('ended'))
  })
  expect(output).toContain('"open":true')
})

test('a relay that closed leaves no timer behind, whether its clients left before or were still there', async () => {
  const timers = new Set<object>()
  const runtime: Runtime = {
    ...nodeRuntime,
    after(delayMs, run) {
      const timer = {}
      timers.add(timer)
      const cancel = nodeRuntime.after(delayMs, () => {
        timers.delete(timer)
        run()
      })
      return () => {
        timers.delete(timer)
        cancel()
      }
    },
  }
  const relay = createRelay({ development: true, runtime })
  const { url } = await relay.listen({ port: 0 })
  const [early, late] = [await openRawClient(url), await openRawClient(url)]
  await early.greet({ space: 'early' })
  await late.greet({ space: 'late' })
  await early.close()
  await relay.close()
  expect(late.end?.code).toBe(1012)
  expect(timers.size).toBe(0)
})

async function listen(): Promise<{ url: string; port: number }> {
  const relay = createRelay({ development: true })
  onTestFinished(() => relay.close())
  return relay.listen({ port: 0 })
}

function run(url: string, wait: string): ChildProcess {
  // A channel to the parent keeps a program that listens to it alive: only who needs it has one.
  const child = spawn(process.execPath, [script, url, wait], {
    stdio: ['ignore', 'pipe', 'pipe', ...(wait === 'parent' ? ['ipc' as const] : [])],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Ends well within what a person waits for: closing 2 s at most, and a second for what the network still holds. */
async function ended(child: ChildProcess): Promise<{ code: number | null; errors: string }> {
  let output = ''
  let errors = ''
  let closedAt = 0
  child.stdout?.on('data', (text: Buffer) => {
    output += String(text)
    closedAt = performance.now()
  })
  child.stderr?.on('data', (text: Buffer) => (errors += String(text)))
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  expect(JSON.parse(output || '{}').closeMs, errors).toBeLessThan(2000)
  expect(performance.now() - closedAt).toBeLessThan(2500)
  return { code, errors }
}
