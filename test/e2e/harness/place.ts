/** Where a scenario takes place: a relay of its own, a wire to it that can be cut, and browsers of several people. */
import { openTcpProxy, type TcpProxy } from '@rejoin/testkit/tcp-proxy'
import { onTestFinished } from 'vitest'
import { startRelayProcess, type RelayProcess } from '../../chaos/harness/relay-process.ts'
import { launchProfile, type Profile, type ProfileOptions } from './browser.ts'
import { introduce } from './notes-page.ts'
import type { NotesSite } from './notes-site.ts'

export interface Place {
  readonly relay: RelayProcess
  readonly wire: TcpProxy
  /** Of the app, for whoever comes over the wire. */
  readonly address: string
  /** A browser of somebody who has told the app this name. Ends with the test. */
  launch(name: string, options?: Omit<ProfileOptions, 'name' | 'prepare'>): Promise<Profile>
}

/** Ends with the test. Without the app for who brings a page of their own. */
export async function openPlace(site: NotesSite | null): Promise<Place> {
  const relay = await startRelayProcess()
  onTestFinished(() => relay.close())
  const wire = await openTcpProxy(relay.port)
  onTestFinished(() => wire.close())
  return {
    relay,
    wire,
    address: site?.addressOf('team', wire) ?? '',
    async launch(name, options = {}) {
      const profile = await launchProfile({ ...options, name, prepare: context => introduce(context, name) })
      onTestFinished(() => profile.close())
      return profile
    },
  }
}
