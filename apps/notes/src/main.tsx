/** Opens the replica, then shows the app over it. */
import { StrictMode, useEffect, useState, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { readConfiguration } from './configuration.ts'
import { keepAccount, keepIdentity, nameDevice, readAccount, readIdentity } from './identity.ts'
import { keepApp } from './keep-app.ts'
import { OpenFailed, Opening } from './opening.tsx'
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
const first = readIdentity()
const account = readAccount(configuration.space, first.name)
try {
  const replica = await openNotes(configuration, { name: account, device })
  window.replica = replica
  root.render(
    <StrictMode>
      <Notes replica={replica} />
    </StrictMode>,
  )
} catch (error) {
  root.render(<OpenFailed error={error} />)
}

function Notes({ replica }: { readonly replica: NotesReplica }): ReactNode {
  const [identity, setIdentity] = useState(first)
  const rename = (name: string): void => setIdentity(keepIdentity(name))
  useEffect(() => {
    if (identity.name === account) return
    return whenNothingWaits(replica.status, () => {
      keepAccount(configuration.space, identity.name)
      void replica.close().finally(() => location.reload())
    })
  }, [replica, identity.name])
  return (
    <ReplicaContext value={replica}>
      <ToastArea>
        <App space={configuration.space} device={device} identity={identity} onName={rename} />
      </ToastArea>
    </ReplicaContext>
  )
}
