/** What a relay needs of texts: screening, heads, sums and differences, without Yjs. */
export {
  differenceOfBody,
  differingBody,
  headOfBody,
  measuringBody,
  mergeBody,
  mergingBody,
} from './body.ts'
export { screenUpdate, type ScreenedUpdate, type ScreenOptions } from './screen.ts'
export { splittingUpdate, splitUpdate } from './split.ts'
