/** Opens the replica, then shows the app over it. */
import { StrictMode, useEffect, useMemo, useState, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { readConfiguration } from './configuration.ts'
import {
  keepAccount,
  keepIdentity,
  nameDevice,
  readAccount,
  readIdentity,
  recallIdentity,
  type Identity,
} from './identity.ts'
import { keepApp } from './keep-app.ts'
import { OpenFailed, Opening } from './opening.tsx'
import { useLive, type Watchable } from './live.ts'
import { openNotes, type NotesReplica } from './replica.ts'
import { whenNothingWaits } from './renaming.ts'
import { ReplicaContext } from './replica-context.ts'
import { ToastArea } from './toast.tsx'
import './styles/index.css'

declare global {
  interface Window {
    /** For the console: everything the app does can be done there, and seen here. */
    replica?: NotesReplica
  }
}

const relayOfServer = document.querySelector<HTMLMetaElement>('meta[name="rejoin-relay"]')?.content ?? null
const configuration = readConfiguration(new URL(location.href), relayOfServer)
const device = nameDevice(navigator.userAgent)
const root = createRoot(document.getElementById('root') ?? document.body)

root.render(<Opening />)
keepApp()
try {
  const account = readAccount(configuration.space)
  const replica = await openNotes(configuration, { account, name: () => readIdentity().name, device })
  window.replica = replica
  root.render(
    <StrictMode>
      <Notes replica={replica} first={recallIdentity(readIdentity(), replica.status.get().user)} />
    </StrictMode>,
  )
} catch (error) {
  root.render(<OpenFailed error={error} />)
}

interface NotesProps {
  readonly replica: NotesReplica
  readonly first: Identity
}

function Notes({ replica, first }: NotesProps): ReactNode {
  const [identity, setIdentity] = useState(first)
  const rename = (name: string): void => setIdentity(keepIdentity(name))
  const { status } = replica
  const user = useLive(useMemo(() => watchUser(status), [status]))
  useEffect(() => {
    if (!identity.kept || user === undefined || user === identity.name) return
    return whenNothingWaits(status, () => {
      keepAccount(configuration.space, identity.name)
      void replica.close().finally(() => location.reload())
    })
  }, [replica, status, user, identity])
  return (
    <ReplicaContext value={replica}>
      <ToastArea>
        <App space={configuration.space} device={device} identity={identity} onName={rename} />
      </ToastArea>
    </ReplicaContext>
  )
}

function watchUser(status: NotesReplica['status']): Watchable<string | undefined> {
  return {
    get: () => status.get().user,
    subscribe: listener => status.subscribe(({ user }) => listener(user)),
  }
}
