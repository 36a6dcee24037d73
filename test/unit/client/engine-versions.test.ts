// Tabs of two versions of an application on one replica: the one that has the connection knows fewer fields.
import { collection } from '@rejoin/client'
import { lww, text, type StandardSchema } from '@rejoin/resolve'
import { expect, it } from 'vitest'
import { createWorld, until, within } from './engine-world.ts'

const anyString: StandardSchema<string, string> = {
  '~standard': { version: 1, vendor: 'test', validate: value => ({ value: value as string }) },
}
const older = { notes: collection('notes', { title: lww(anyString), body: text() }) }
const newer = { notes: collection('notes', { title: lww(anyString), body: text(), summary: text() }) }

it('[W6, X9] what is typed in a text that only a newer tab declares is made anew by an older one', async () => {
  const world = createWorld()
  world.device.skewMs = 3_600_000
  // Nobody declares that it opens another version beside itself.
  const holder = await world.open(world.device.openTab(), { collections: older } as object)
  const opened: unknown = await world.open(world.device.openTab(), { collections: newer } as object)
  const typist = opened as Awaited<ReturnType<typeof world.open>> & {
    readonly notes: {
      text(id: string, field: 'summary'): { readonly whenReady: Promise<void>; text: unknown }
    }
  }
  typist.notes.insert({ title: 'first' } as never, { id: 'a' })
  const handle = typist.notes.text('a', 'summary')
  await within(world.clock, handle.whenReady)
  ;(handle.text as { insert(at: number, content: string): void }).insert(0, 'typed')
  await world.clock.advance(1000)
  await world.relay.start()
  await until(world.clock, () => holder.status.get().synced && typist.status.get().synced)
  expect(typist.quarantine.get()).toEqual([])
  expect(String(handle.text)).toBe('typed')
})
