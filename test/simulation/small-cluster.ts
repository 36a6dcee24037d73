/** A cluster of a few devices that one test drives by hand, and that is closed with it. */
import { createCluster, type Cluster, type ClusterOptions, type OpenTab } from '@rejoin/testkit'
import { onTestFinished } from 'vitest'

export async function begin(options: Omit<ClusterOptions, 'seed'>): Promise<Cluster> {
  const cluster = await createCluster({ seed: 1, ...options })
  onTestFinished(cluster.close)
  return cluster
}

export async function open(cluster: Cluster, at: number): Promise<OpenTab['replica']> {
  const device = cluster.devices[at]
  const opened = device === undefined ? null : await cluster.openTab(device)
  if (opened === null) throw new Error(`device ${at} cannot be opened`)
  return opened.replica
}

/** Time passes, with peers that dial each other again first. */
export async function pass(cluster: Cluster, ms: number): Promise<void> {
  cluster.linkPeers()
  await cluster.clock.advance(ms)
}
