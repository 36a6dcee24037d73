/** Paths that can be seen in frames: how sessions begin, what is asked for, given, refused and answered. */
import { createDictionary, type Dictionary, type ErrorCode, type Frame } from '@rejoin/core'
import { readFrame } from '../frame-reading.ts'
import type { SimulatedLinkEvents, SimulatedNetwork } from '../network.ts'
import type { Refusals } from '../watch/refusals.ts'
import type { Path, Take } from './path.ts'

/** The same network, watched, and each frame told with its space. Who is left out says nothing of the product: a forger. */
export function watchNetwork(
  network: SimulatedNetwork,
  take: Take,
  isWatched: (name: string) => boolean,
  hear: (space: string, frame: Uint8Array) => void,
  refusals: Refusals,
): SimulatedNetwork {
  /** Which relay somebody's last session of a space was with. */
  const last = new Map<string, string>()

  function watch(name: string, url: string): { up(bytes: Uint8Array): void; down(bytes: Uint8Array): void } {
    const names = { up: createDictionary(), down: createDictionary() }
    let space = ''
    let role: 'client' | 'peer' = 'client'
    const session = refusals.session(name)

    function welcomed(begin: 'resume' | 'join' | 'new', covers: boolean): void {
      if (role === 'peer') return
      const who = `${name} ${space}`
      const before = last.get(who)
      if (before !== undefined && before !== url) take('switch')
      last.set(who, url)
      take(begin)
      if (!covers) take('behind')
    }

    return {
      up(bytes) {
        const frame = read(bytes, names.up)
        if (frame?.type === 'hello') ({ space, role } = frame)
        hear(space, bytes)
        if (frame === null) return
        if (role === 'peer' && frame.type === 'range' && frame.ranges.length === 0) take('peer-begins')
        session.sent(space, frame)
        pathsOf(frame, take)
      },
      down(bytes) {
        hear(space, bytes)
        const frame = read(bytes, names.down)
        if (frame === null) return
        if (frame.type === 'welcome') welcomed(frame.begin, frame.covers)
        session.heard(space, frame)
        pathsOf(frame, take)
      },
    }
  }

  return {
    ...network,
    connectFrom: (name, scope) => {
      const connect = network.connectFrom(name, scope)
      if (!isWatched(name)) return connect
      return (url, events) => {
        const { up, down } = watch(name, url)
        const watched: SimulatedLinkEvents = {
          opened: link =>
            events.opened({
              ...link,
              buffered: () => link.buffered(),
              send(bytes) {
                up(bytes)
                link.send(bytes)
              },
            }),
          frame(bytes) {
            down(bytes)
            events.frame(bytes)
          },
          closed: events.closed,
        }
        return connect(url, watched)
      }
    },
  }
}

function read(bytes: Uint8Array, names: Dictionary): Frame | null {
  const decoded = readFrame(bytes, names)
  return decoded.ok ? decoded.value : null
}

const refusals: Partial<Record<ErrorCode, Path>> = {
  'refused-by-rule': 'refused-by-rule',
  'clock-skew': 'clock-skew',
  'unknown-mark': 'unknown-there',
  'document-unknown': 'unknown-there',
  'text-gap': 'unknown-there',
}

function pathsOf(frame: Frame, take: Take): void {
  switch (frame.type) {
    case 'changes':
      if (frame.answer) take('answer')
      if ((frame.cut?.fingerprint ?? null) !== null) take('compared')
      for (const { texts } of frame.rows)
        for (const { kind } of texts.values()) take(kind === 'tail' ? 'text-tail' : 'text-head')
      return
    case 'verdict':
      if (frame.cut) take('verdict-cut')
      for (const exception of frame.exceptions) {
        if (exception.kind !== 'refused') take(exception.kind)
        else {
          const path = refusals[exception.error.code]
          if (path !== undefined) take(path)
        }
      }
      return
    case 'range':
      if (frame.ranges.length > 0) take('ranges')
      if (frame.ranges.some(({ content }) => content.kind === 'items')) take('range-items')
      return
    case 'want':
      if (frame.keys.length > 0) take('want')
      if (frame.writers.length > 0) take('who-wrote')
      return
    case 'give':
      return take('give')
    case 'given':
      if (frame.refused.length > 0)
        take(frame.refused.some(({ error }) => error.code === 'no-leader') ? 'no-leader' : 'give-refused')
      if (frame.refused.some(({ error }) => error.code === 'clock-skew')) take('clock-skew')
      return
    case 'passed':
      return take('passed')
    case 'bye':
      return take('begin-anew')
    case 'quorum':
      return take('quorum')
    case 'text':
      return take('text-difference')
    case 'go-on':
      return take('go-on')
    case 'credit':
      return take('credit')
    default:
      return
  }
}
