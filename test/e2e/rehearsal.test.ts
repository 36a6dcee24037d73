// A rehearsal in a program that runs a relay of its own: it comes to its end, and does not wait for what nobody says.
import { rehearse, type Log } from '@rejoin/relay'
import { expect, test, vi } from 'vitest'

test('all of it is played within its time', async () => {
  const info = vi.fn<Log['info']>()
  const log: Log = { error: vi.fn<Log['error']>(), info, debug: () => {} }
  // Where the machine is busy the first may be cut off; what is compiled by then makes the next one shorter.
  await expect
    .poll(
      async () => {
        await rehearse(log)
        return info.mock.lastCall?.[0]['whole']
      },
      { timeout: 15_000 },
    )
    .toBe(true)
  expect(log.error).not.toHaveBeenCalled()
}, 20_000)
