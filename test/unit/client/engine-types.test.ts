// What the compiler says of opening a replica. The claims are checked by the type checker; the runner only sees that
// the file loads.
import type { CollectionHandle, Live, OpenOptions, Replica, Status } from '@rejoin/client'
import type { SimulatedCollections, SimulatedFields } from '@rejoin/testkit'
import { expectTypeOf, test } from 'vitest'

type Notes = SimulatedCollections['notes']

test('collections are properties under the names that the application gave them', () => {
  type R = Replica<{ mine: Notes }>
  expectTypeOf<R['mine']>().toEqualTypeOf<CollectionHandle<'notes', SimulatedFields>>()
  expectTypeOf<R['status']>().toEqualTypeOf<Live<Status>>()
})

test('a collection under the name of a member of the replica does not compile', () => {
  type Options<C extends Record<string, Notes>> = OpenOptions<C>['collections']
  expectTypeOf<{ mine: Notes }>().toExtend<Options<{ mine: Notes }>>()
  expectTypeOf<{ status: Notes }>().not.toExtend<Options<{ status: Notes }>>()
  expectTypeOf<{ close: Notes }>().not.toExtend<Options<{ close: Notes }>>()
  expectTypeOf<{ then: Notes }>().not.toExtend<Options<{ then: Notes }>>()
})
