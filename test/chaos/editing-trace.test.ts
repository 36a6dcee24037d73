// A document that two people really wrote at once, with its true branches and merges, through two clients and a relay
// that they are cut off from again and again.
import { expect, onTestFinished, test } from 'vitest'
import { readEditingTrace } from './harness/editing-trace.ts'
import { openNewcomer, readBody } from './harness/node-client.ts'
import { startRelayProcess } from './harness/relay-process.ts'
import { replayTrace } from './harness/replay.ts'
import { soak } from '../soak.ts'

const trace = readEditingTrace('friendsforever')

test.each([0, 1] as const)(
  '[X5, X7] a text of two authors is the same on both and on a third replica, with the smaller client id at author %i',
  // Each time the cuts meet other things that are under way.
  { repeats: soak(9, 0) },
  async smaller => {
    const relay = await startRelayProcess({ logLevel: 'error' })
    onTestFinished(() => relay.close())
    const began = performance.now()
    const { clients, plain, looks, cuts } = await replayTrace(trace, {
      port: relay.port,
      id: 'friends',
      smaller,
      cutsMax: 110,
      defer: close => void onTestFinished(async () => void (await close())),
    })
    const third = await openNewcomer(relay.url)
    onTestFinished(() => third.close())
    const texts = await Promise.all([...clients, third].map(client => readBody(client, 'friends')))
    expect(texts).toEqual([plain, plain, plain])
    // Where both inserted at one place at once, their order goes by client id: the recorded one has the first author's first.
    if (smaller === 0) expect(plain).toBe(trace.end)
    expect([...plain].sort().join('')).toBe([...trace.end].sort().join(''))
    expect(cuts).toBeGreaterThan(90)
    expect(relay.log).toEqual([])
    const seconds = Math.round((performance.now() - began) / 1000)
    console.log(
      `${trace.edits} keystrokes in ${trace.bursts.length} bursts, ${trace.merges} merges, ${looks} looks, ${cuts} cuts: ${seconds} s`,
    )
  },
)
