/** What the server answered to one filter of a SUBSCRIBE or UNSUBSCRIBE. */
export interface FilterGrant {
  /** As it went over the wire, without names: `home/+/temperature`. */
  readonly filter: string
  /** 0, 1 or 2: the granted QoS; 0x80 and above: refused. */
  readonly reasonCode: number
}
