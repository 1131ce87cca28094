import { VCEApi } from '../api';
import { VCEModel } from '../model';
import { PATIENCE, QUICK, SLOW } from '../pace';
import type { IModelChange, IOperation } from '../tokens';
import { FakeServer, operation, service, serviceError } from './fixtures';

const LIST = 'GET api/services';

describe('VCEModel', () => {
  let server: FakeServer;
  let model: VCEModel;
  let changes: IModelChange[];
  let ended: IOperation[];
  let visibility: DocumentVisibilityState;

  /** Let time pass, and everything that was waiting for it happen. */
  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

  const show = (state: DocumentVisibilityState) => {
    visibility = state;
    document.dispatchEvent(new Event('visibilitychange'));
  };

  beforeEach(() => {
    jest.useFakeTimers({ now: Date.parse('2026-01-01T10:00:00Z') });
    visibility = 'visible';
    jest
      .spyOn(document, 'visibilityState', 'get')
      .mockImplementation(() => visibility);
    server = new FakeServer();
    server.services(service());
    model = new VCEModel(new VCEApi(server.settings));
    changes = [];
    ended = [];
    model.changed.connect((_, change) => changes.push(change));
    model.operationEnded.connect((_, operation) => ended.push(operation));
  });

  afterEach(() => {
    show('visible');
    model.dispose();
    jest.useRealTimers();
  });

  it('asks nothing while it is made, and says when it knows', async () => {
    expect(server.asked).toEqual([]);
    expect(model.loaded).toBe(false);
    expect(model.connected).toBe(false);
    expect(model.problem).toBeNull();
    await pass(1);
    expect(model.loaded).toBe(true);
    expect(model.connected).toBe(true);
    expect(model.service('openrefine')).toEqual(service());
    expect(changes).toEqual([{ services: true, connected: true, states: [] }]);
  });

  it('asks seldom and keeps quiet while nothing happens', async () => {
    await pass(1);
    await pass(4 * SLOW);
    expect(server.count(LIST)).toBe(5);
    // Once, for what concerns all services and is named by none of them.
    expect(server.count('GET api/operations?state=running')).toBe(1);
    expect(changes).toHaveLength(1);
  });

  it.each(['starting', 'stopping', 'backoff'] as const)(
    'asks often while a service is %s',
    async state => {
      server.services(service({ state }));
      await pass(1);
      await pass(4 * QUICK);
      expect(server.count(LIST)).toBe(5);
    }
  );

  it('tells which service has moved, and from where', async () => {
    await pass(1);
    server.services(service({ state: 'ready' }));
    await pass(SLOW);
    expect(changes[1]!.services).toBe(false);
    expect(changes[1]!.states).toMatchObject([
      { from: 'stopped', to: 'ready', service: { name: 'openrefine' } }
    ]);
    expect(model.stateOf('openrefine')).toBe('ready');
  });

  it('tells when services come and go', async () => {
    await pass(1);
    server.services(service(), service({ name: 'genie', title: 'Genie' }));
    await pass(SLOW);
    expect(changes[1]).toMatchObject({ services: true, states: [] });
  });

  it('follows an operation from order to end', async () => {
    await pass(1);
    const begun = operation();
    server.replies.set('POST api/services/openrefine/start', {
      status: 202,
      json: begun
    });
    server.services(service({ state: 'starting', operation: 'op1' }));
    server.operations({ ...begun, message: 'Almost there' });
    expect(await model.start('openrefine')).toEqual(begun);
    expect(model.operation('openrefine')).toEqual(begun);
    await pass(1);
    expect(model.operation('openrefine')?.message).toBe('Almost there');
    expect(model.stateOf('openrefine')).toBe('starting');

    const done = operation({ state: 'failed', error: serviceError() });
    server.services(service({ state: 'failed', error: serviceError() }));
    server.operations();
    server.replies.set('GET api/operations/op1', { json: done });
    await pass(QUICK);
    expect(model.operation('openrefine')).toBeUndefined();
    expect(ended).toEqual([done]);
    const count = server.count(LIST);
    await pass(SLOW);
    expect(server.count(LIST)).toBe(count + 1);
  });

  it('follows an operation that somebody else began', async () => {
    server.services(service({ state: 'ready', operation: 'op1' }));
    server.operations(operation({ kind: 'backup' }));
    await pass(1);
    expect(model.operation('openrefine')?.kind).toBe('backup');
    const count = server.count(LIST);
    await pass(2 * QUICK);
    expect(server.count(LIST)).toBe(count + 2);
  });

  it('forgets an operation that a restarted server does not know', async () => {
    server.services(service({ operation: 'op1' }));
    server.operations(operation());
    await pass(1);
    server.services(service());
    server.operations();
    await pass(QUICK);
    expect(model.connected).toBe(true);
    expect(model.operation('openrefine')).toBeUndefined();
    expect(ended).toEqual([]);
  });

  it('passes a refusal on and looks again at once', async () => {
    await pass(1);
    server.replies.set('POST api/services/openrefine/stop', {
      status: 409,
      json: { code: 'conflict', message: 'Being backed up.', hint: '' }
    });
    await expect(model.stop('openrefine')).rejects.toMatchObject({
      code: 'conflict'
    });
    await pass(1);
    expect(server.count(LIST)).toBe(2);
    expect(model.connected).toBe(true);
  });

  it('forgives one missed answer, and says so after the second', async () => {
    await pass(1);
    server.replies.clear();
    await pass(SLOW);
    expect(model.connected).toBe(true);
    await pass(QUICK);
    expect(model.connected).toBe(false);
    expect(model.problem).toMatchObject({ code: 'unreachable' });
    expect(model.stateOf('openrefine')).toBe('unknown');
    expect(changes[1]).toEqual({
      services: false,
      connected: true,
      states: []
    });
    expect(changes).toHaveLength(2);
  });

  it('tries again by itself, less and less often, and recovers', async () => {
    await pass(1);
    server.replies.clear();
    await pass(10 * 60_000);
    const count = server.asked.length;
    await pass(60_000);
    expect(server.asked.length - count).toBe(60_000 / PATIENCE);

    server.services(service({ state: 'ready' }));
    await pass(PATIENCE);
    expect(model.connected).toBe(true);
    expect(model.problem).toBeNull();
    expect(changes.at(-1)).toMatchObject({
      connected: true,
      states: [{ from: 'stopped', to: 'ready' }]
    });
  });

  it('says at once why a server cannot be used from the start', async () => {
    server.replies.set(LIST, { status: 404, text: '<html></html>' });
    await pass(1);
    expect(model.loaded).toBe(false);
    expect(model.problem).toMatchObject({ code: 'not-served' });
    expect(changes).toHaveLength(1);
  });

  it('rests while the page is hidden and looks at once when it is shown', async () => {
    await pass(1);
    show('hidden');
    await pass(20 * SLOW);
    const count = server.count(LIST);
    await pass(20 * SLOW);
    expect(server.count(LIST)).toBe(count);
    show('visible');
    await pass(1);
    expect(server.count(LIST)).toBe(count + 1);
  });

  it('lets no late answer overtake a newer one', async () => {
    await pass(1);
    let answer: (response: Response) => void = () => undefined;
    server.replies.set(
      LIST,
      () => new Promise<Response>(resolve => (answer = resolve))
    );
    await pass(SLOW);
    server.services(service({ state: 'ready' }));
    void model.refresh();
    await pass(1);
    expect(model.stateOf('openrefine')).toBe('ready');
    answer(new Response(JSON.stringify({ services: [service()] })));
    await pass(1);
    expect(model.stateOf('openrefine')).toBe('ready');
  });

  it('goes by the clock of the server where the two differ much', async () => {
    server.replies.set(LIST, {
      json: { services: [] },
      headers: { Date: 'Thu, 01 Jan 2026 12:00:00 GMT' }
    });
    await pass(1);
    expect(model.serverNow() - Date.now()).toBeGreaterThan(7_190_000);
    server.replies.set(LIST, {
      json: { services: [] },
      headers: { Date: new Date(Date.now() + SLOW).toUTCString() }
    });
    await pass(SLOW);
    expect(model.serverNow()).toBe(Date.now());
  });

  it('asks no more once it is disposed of', async () => {
    await pass(1);
    model.dispose();
    const count = server.asked.length;
    await pass(10 * SLOW);
    expect(server.asked).toHaveLength(count);
  });

  it('looks soon when hinted, once for many hints', async () => {
    await pass(1);
    const running = operation({ service: null, kind: 'backup' });
    server.operations(running);
    for (let hints = 0; hints < 20; hints += 1) {
      model.hint();
    }
    await pass(200);
    expect(server.count(LIST)).toBe(2);
    // It concerns no single service, so none of them names it.
    expect(model.operations).toEqual([running]);
  });

  it('asks as often as it is told to', async () => {
    await pass(1);
    model.setInterval(2_000);
    await pass(1);
    const before = server.count(LIST);
    await pass(4_000);
    expect(server.count(LIST)).toBe(before + 2);
  });

  it('tells after a reload how what was under way has ended', async () => {
    const kept: string[][] = [['op1']];
    const memory = {
      load: () => kept.at(-1)!,
      save: (ids: readonly string[]) => void kept.push([...ids])
    };
    const done = operation({ state: 'succeeded' });
    server.replies.set('GET api/operations/op1', { json: done });
    const reloaded = new VCEModel(new VCEApi(server.settings), memory);
    reloaded.operationEnded.connect((_, operation) => ended.push(operation));
    await pass(1);
    expect(ended).toEqual([done]);
    expect(memory.load()).toEqual([]);
    await pass(SLOW);
    expect(ended).toHaveLength(1);
    reloaded.dispose();
  });

  it('tells an end once, however many answers tell of it', async () => {
    server.operations(operation());
    model.hint();
    await pass(SLOW);
    expect(model.operations).toHaveLength(1);
    server.operations();
    const done = operation({ state: 'succeeded' });
    const answers: (() => void)[] = [];
    server.replies.set(
      'GET api/operations/op1',
      () =>
        new Promise<Response>(resolve => {
          answers.push(() => resolve(new Response(JSON.stringify(done))));
        })
    );
    await pass(QUICK);
    void model.refresh();
    await pass(QUICK);
    expect(answers).toHaveLength(2);
    answers.forEach(answer => answer());
    await pass(1);
    expect(ended).toEqual([done]);
  });
});
