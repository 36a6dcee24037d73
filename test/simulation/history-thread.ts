/** A thread that runs the histories that it is given and gives back what came of each. */
import { parentPort } from 'node:worker_threads'
import { runHistory, type HistoryOptions } from '@rejoin/testkit'

parentPort?.on('message', (options: HistoryOptions) => {
  void runHistory(options).then(result => parentPort?.postMessage(result))
})
