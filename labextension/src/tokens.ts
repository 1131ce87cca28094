import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';
import type * as React from 'react';

import type { IOperation, IProblem, IService, ServiceState } from './answers';

export * from './answers';

/** The translation domain of every string a person reads here. */
export const TRANSLATION_DOMAIN = 'ou_vce_ext';

/** The id of the panel in the sidebar. */
export const PANEL_ID = 'vce-panel';

/** What we know of a service: its state, or that nobody can say because the server is gone. */
export type ShownState = ServiceState | 'unknown';

/** One service's move from one state to another. */
export interface IStateChange {
  readonly service: IService;
  readonly from: ShownState;
  readonly to: ShownState;
}

/** What is new since the last `changed`. */
export interface IModelChange {
  /** Services came, went, or changed their title, icon or kind. */
  readonly services: boolean;
  /** The server was lost or found, or said for the first time what there is. */
  readonly connected: boolean;
  readonly states: readonly IStateChange[];
}

/** What is known of the services, kept up to date. */
export interface IVCEModel extends IDisposable {
  /** Something that can be seen has changed. */
  readonly changed: ISignal<IVCEModel, IModelChange>;
  /** An operation that this page has followed came to its end. */
  readonly operationEnded: ISignal<IVCEModel, IOperation>;
  /** Whether the server has answered at least once. */
  readonly loaded: boolean;
  /** Whether what `services` says is current. */
  readonly connected: boolean;
  /** Why the server cannot be reached; null while it can, or has not been asked yet. */
  readonly problem: IProblem | null;
  /** In the order in which they were declared. Old news while `connected` is false. */
  readonly services: readonly IService[];
  service(name: string): IService | undefined;
  /** The state to show: `unknown` while the server is gone. */
  stateOf(name: string): ShownState;
  /** Every operation that runs, those that concern all services too. */
  readonly operations: readonly IOperation[];
  /** The operation that runs on a service. */
  operation(name: string): IOperation | undefined;
  /** The server's clock, in milliseconds since 1970: the browser's may be wrong. */
  serverNow(): number;
  /** Ask the server now; resolves when it has answered or failed to. */
  refresh(): Promise<void>;
  /** Something may have changed, or an operation may have begun: ask soon, many hints once. */
  hint(): void;
  /** How often to ask (ms) while nothing is under way. */
  setInterval(interval: number): void;
  /** Each resolves once the server has taken the order, and rejects with a `VCEError`. */
  start(name: string): Promise<IOperation>;
  stop(name: string, how?: { force: boolean }): Promise<IOperation>;
  restart(name: string, how?: { force: boolean }): Promise<IOperation>;
  /** Ask a running operation to end; it does so soon after. */
  cancel(id: string): Promise<IOperation>;
  /** Follow an operation that an order begins; resolves and rejects as the order does. */
  follow(order: Promise<IOperation>): Promise<IOperation>;
  /** The last lines a service wrote. */
  logs(name: string, lines?: number): Promise<string>;
  /** The report for the forum, with nothing private in it. */
  report(): Promise<string>;
}

export const IVCEModel = new Token<IVCEModel>(
  'ou-vce-ext:IVCEModel',
  'The services of this environment: their states and operations, kept up to date.'
);

/** What the module calls its environment, and how it looks. */
export interface IBranding {
  readonly title: string;
  /** The path of its logo on this server, or null. */
  readonly logo: string | null;
  /** `#rrggbb` for lines and areas on light pages; never for text. */
  readonly colour: string | null;
  readonly colour_dark: string | null;
  readonly help_url: string | null;
  readonly help_text: string | null;
}

/** The module's own look, as far as it is known. */
export interface IVCEBranding {
  /** Null until the server has told, and where nothing is declared. */
  readonly current: IBranding | null;
  readonly changed: ISignal<IVCEBranding, void>;
}

export const IVCEBranding = new Token<IVCEBranding>(
  'ou-vce-ext:IVCEBranding',
  'What the module calls its environment, and how it looks.'
);

/** The id of the settings, which is also the name of their schema. */
export const SETTINGS_ID = 'ou-vce-ext:plugin';

/** Where a student wants apps to open. */
export type OpenPlace = 'declared' | 'tab' | 'browser';

/** What a student has chosen. */
export interface IVCESettings {
  readonly open: OpenPlace;
  /** Services to start when JupyterLab is opened, by name or title. */
  readonly startWithLab: readonly string[];
  /** Whether the corner says how work goes on. */
  readonly toasts: boolean;
  readonly pollSeconds: number;
  readonly changed: ISignal<IVCESettings, void>;
}

export const IVCESettings = new Token<IVCESettings>(
  'ou-vce-ext:IVCESettings',
  'What a student has chosen for the services.'
);

/** Opens the services' own pages. */
export interface IVCEApps {
  /**
   * Show a service's app where it belongs.
   *
   * Call it within the click that asks for it, or the browser blocks its tab. Returns the new tab,
   * or null where one that was open came to the front or the app has a browser tab of its own.
   */
  open(service: IService): Widget | null;
  /** The page within a service's tab, where there is one and it has loaded. */
  page(name: string): Document | null;
  /** Whether a person is looking at a service's tab. */
  isShown(name: string): boolean;
}

export const IVCEApps = new Token<IVCEApps>(
  'ou-vce-ext:IVCEApps',
  'Opens the apps of services in tabs of JupyterLab or the browser.'
);

/** A part that somebody adds to each service's place in the panel. */
export type RowPart = (props: {
  readonly service: IService;
  readonly state: ShownState;
}) => React.JSX.Element | null;

/** The panel in the sidebar. */
export interface IVCEPanel {
  /** Bring the panel to the front and, where a name is given, to that service. */
  reveal(name?: string): void;
  /** Whether a person is looking at it. */
  readonly isVisible: boolean;
  /** Add a part below the buttons of each service; a component of React. */
  addToRows(part: RowPart): IDisposable;
}

export const IVCEPanel = new Token<IVCEPanel>(
  'ou-vce-ext:IVCEPanel',
  'The panel that lists the services.'
);

/** Shows how a database is reached. */
export interface IVCEConnections {
  /** Show a database's connection card. Returns its tab where it is new, else null. */
  show(service: IService): Widget | null;
}

export const IVCEConnections = new Token<IVCEConnections>(
  'ou-vce-ext:IVCEConnections',
  'Shows how notebooks and programs reach a database.'
);

/** What a person may do about an operation that has ended. */
export interface IEndAction {
  readonly label: string;
  /** The id of the backup it needs; it is not offered for longer than that is there. */
  readonly needs?: string;
  readonly run: () => void;
}

/** The notes in the corner that say how work goes on. */
export interface IVCEToasts {
  /** Offer something when an operation of a kind has ended, such as an undo. */
  addEndActions(
    kind: string,
    offer: (operation: IOperation) => readonly IEndAction[]
  ): IDisposable;

  /** Take back what needs a backup that is gone. */
  withdraw(backup: string): void;
}

export const IVCEToasts = new Token<IVCEToasts>(
  'ou-vce-ext:IVCEToasts',
  'Notes that say how operations go on and end.'
);

/** What a person can do to a service here. */
export type Action = 'open' | 'connect' | 'start' | 'stop' | 'restart' | 'logs';

/** What a person can do about a stop that waits for an answer: call it off, or lose what is open. */
export type Answer = 'keep' | 'insist';

/** Carries out what a person asked for; whoever implements it reports what goes wrong. */
export type ActionRunner = (
  action: Action | Answer,
  service: IService
) => Promise<void>;

/** What a service holds that is not on disk yet. */
export interface IUnsaved {
  /** Titles of what it saves before it ends. */
  readonly projects: readonly string[];
  /** Whether something is begun that it cannot save. */
  readonly unfinished: boolean;
}

/** Asked before services are stopped. */
export interface IStopQuestion {
  readonly verb: 'stop' | 'restart';
  /** The one that was named; null where all were meant. */
  readonly service: IService | null;
  /** Those that go with it, or all of them. */
  readonly others: readonly IService[];
  readonly unsaved: IUnsaved;
}
