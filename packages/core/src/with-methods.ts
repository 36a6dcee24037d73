/**
 * An object of plain fields, with methods and getters that all of its kind share as their prototype. A getter that is
 * written into the object itself, or more than a dozen fields that are assigned to one, make an engine keep the object as
 * a table, in which each look at a field is a search.
 */
export function withMethods<Fields extends object, Methods extends object>(
  fields: Fields,
  methods: Methods,
): Fields & Methods {
  return Object.setPrototypeOf(fields, methods)
}
