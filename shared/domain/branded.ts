declare const brand: unique symbol;

/** Text that a parser has checked: only `parse…` and a store that reads back what it wrote can make one. */
export type Branded<Name extends string> = string & { readonly [brand]: Name };
