/** A statement's number, the rule of the responder that is broken, and what is done instead. */
export type Mutation = readonly [statement: string, fault: string, instead: string]
