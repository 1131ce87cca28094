import type { ServerConnection } from '@jupyterlab/services';

import { type IAnswer, requestJSON, requestText } from './request';
import type { IBranding, IOperation, IService, OperationState } from './tokens';

/** The REST API under `{base_url}vce/api/`. Everything here rejects with a `VCEError` only. */
export class VCEApi {
  constructor(private readonly _settings: ServerConnection.ISettings) {}

  /** Every service, and the server's clock. */
  async services(): Promise<IAnswer<IService[]>> {
    const { data, date } = await requestJSON<{ services: IService[] }>(
      this._settings,
      { path: ['api', 'services'] }
    );
    return { data: data.services, date };
  }

  async service(name: string): Promise<IService> {
    return this._get(['api', 'services', name]);
  }

  async start(name: string): Promise<IOperation> {
    return this._order(name, 'start');
  }

  /**
   * With `cancel`, a backup or restore that is in the way is cancelled. With `force` no answer is
   * waited for, and what is not saved is lost.
   */
  async stop(
    name: string,
    body?: { cancel?: boolean; force?: boolean }
  ): Promise<IOperation> {
    return this._order(name, 'stop', body);
  }

  async restart(name: string, body?: { force: boolean }): Promise<IOperation> {
    return this._order(name, 'restart', body);
  }

  /** The last lines a service wrote, oldest first. */
  async logs(name: string, lines: number): Promise<string> {
    return requestText(this._settings, {
      path: ['api', 'services', name, 'logs'],
      query: { lines: String(lines) }
    });
  }

  /** What may be shown in a forum, as the server has redacted it. */
  async report(): Promise<string> {
    return requestText(this._settings, { path: ['api', 'report'] });
  }

  /** The module's own look. */
  async branding(): Promise<IBranding> {
    return this._get(['api', 'branding']);
  }

  async operation(id: string): Promise<IOperation> {
    return this._get(['api', 'operations', id]);
  }

  /** Resolves when the server has begun to cancel it. */
  async cancel(id: string): Promise<IOperation> {
    const { data } = await requestJSON<IOperation>(this._settings, {
      path: ['api', 'operations', id],
      method: 'DELETE'
    });
    return data;
  }

  async operations(state: OperationState): Promise<IOperation[]> {
    const { data } = await requestJSON<{ operations: IOperation[] }>(
      this._settings,
      { path: ['api', 'operations'], query: { state } }
    );
    return data.operations;
  }

  private async _get<T>(path: string[]): Promise<T> {
    return (await requestJSON<T>(this._settings, { path })).data;
  }

  private async _order(
    name: string,
    verb: string,
    body?: object
  ): Promise<IOperation> {
    const { data } = await requestJSON<IOperation>(this._settings, {
      path: ['api', 'services', name, verb],
      method: 'POST',
      ...(body && { body })
    });
    return data;
  }
}
