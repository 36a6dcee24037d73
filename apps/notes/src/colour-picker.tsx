/** The note's colour: a row of radio buttons that look like paint. */
import type { ReactNode } from 'react'
import { colours, type Colour } from './schema.ts'

export interface ColourPickerProps {
  readonly colour: Colour
  readonly onPick: (colour: Colour) => void
}

export function ColourPicker({ colour, onPick }: ColourPickerProps): ReactNode {
  return (
    <fieldset className="colour-picker">
      <legend className="only-read">Colour</legend>
      {colours.map(name => (
        <label key={name} className="swatch" data-colour={name} title={name}>
          <input
            type="radio"
            name="colour"
            data-testid={`note-colour-${name}`}
            aria-label={name}
            checked={name === colour}
            onChange={() => onPick(name)}
          />
        </label>
      ))}
    </fieldset>
  )
}
