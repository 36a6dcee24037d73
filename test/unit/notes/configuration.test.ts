// What a link to the app may decide, and what it may not.
import { describe, expect, test } from 'vitest'
import { readConfiguration } from '@rejoin/notes/src/configuration.ts'

function relayOf(page: string, ofServer: string | null = null): string {
  return readConfiguration(new URL(page), ofServer).relay
}

describe('the configuration of the page', () => {
  test('is its own host where nothing is said', () => {
    expect(readConfiguration(new URL('http://localhost:4455/'), null)).toEqual({
      space: 'notes',
      relay: 'ws://localhost:4455/v1/sync',
    })
    expect(relayOf('https://notes.example/')).toBe('wss://notes.example/v1/sync')
  })

  test('takes a relay of this machine or of the same host from the address', () => {
    expect(relayOf('http://localhost:1/?relay=ws://127.0.0.1:4455')).toBe('ws://127.0.0.1:4455/v1/sync')
    expect(relayOf('https://notes.example/?relay=wss://notes.example:444/x')).toBe(
      'wss://notes.example:444/x',
    )
  })

  test.each([
    'wss://evil.example/v1/sync',
    'ws://127.0.0.1.evil.example',
    'https://localhost',
    'javascript:1',
    '',
  ])('does not send notes to %s because a link says so', relay => {
    const page = `http://localhost:4455/?relay=${encodeURIComponent(relay)}`
    expect(relayOf(page)).toBe('ws://localhost:4455/v1/sync')
    expect(relayOf(page, 'wss://relay.example/v1/sync')).toBe('wss://relay.example/v1/sync')
  })

  test('takes only names of spaces that can be one', () => {
    const spaceOf = (space: string): string =>
      readConfiguration(new URL(`http://localhost/?space=${encodeURIComponent(space)}`), null).space
    expect(spaceOf('team-1')).toBe('team-1')
    expect(['', '../x', '-a', 'a b', 'x'.repeat(200)].map(spaceOf)).toEqual(Array(5).fill('notes'))
  })
})
