/** People: who opens tabs, and writes in them into whichever space. */
import type { Cluster, OpenTab } from '../cluster.ts'
import type { SimulatedDevice } from '../device.ts'
import { createApplication, type Application } from './application.ts'

export interface People {
  /** One for each space. */
  readonly applications: readonly Application[]
  /** Somebody opens a tab. Null if it dies meanwhile. */
  open(device: SimulatedDevice): Promise<OpenTab | null>
  /** Somebody does something in this tab. */
  act(open: OpenTab): void
}

export function createPeople(cluster: Cluster): People {
  const applications = cluster.spaces.map(space => createApplication(cluster, space))
  const bySpace = new Map(applications.map(application => [application.space, application]))
  return {
    applications,
    async open(device) {
      const open = await cluster.openTab(device)
      if (open === null) return null
      const all = cluster.tabs.filter(({ tab }) => tab === open.tab)
      if (all.some(({ replica }) => replica.status.get().persistence === 'memory')) {
        // Its disk was full when it was opened. Who sees that waits until there is room, and loads the page again.
        open.tab.scope.kill()
        return null
      }
      for (const one of all) bySpace.get(one.space)?.eyes.watch(one)
      return open
    },
    act: open => bySpace.get(open.space)?.act(open),
  }
}
