/** What the server has put into the page. */
export interface IFacts {
  readonly name: string;
  readonly title: string;
  /** Whether views may change the size of the remote screen. */
  readonly fits: boolean;
  /** How many remote pixels stand for a usual one. */
  readonly scale: number;
  /** Whether the program was still being started when the page was asked for. */
  readonly starting: boolean;
  /** The address that says how the service is. */
  readonly service: string;
  /** The address of the screen's WebSocket, relative to the page. */
  readonly socket: string;
}

/** Read them from the page. */
export function readFacts(): IFacts {
  return JSON.parse(
    document.getElementById('facts')?.textContent ?? '{}'
  ) as IFacts;
}
