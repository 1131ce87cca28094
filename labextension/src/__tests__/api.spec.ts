import { VCEApi } from '../api';
import { FakeServer, operation, service } from './fixtures';

describe('VCEApi', () => {
  const server = new FakeServer();
  const api = new VCEApi(server.settings);

  beforeEach(() => {
    server.asked.length = 0;
    server.bodies.length = 0;
    server.replies.clear();
  });

  it('lists services below the base_url', async () => {
    server.services(service());
    expect((await api.services()).data).toEqual([service()]);
    expect(server.asked).toEqual(['GET api/services']);
  });

  it('shows one service', async () => {
    server.replies.set('GET api/services/openrefine', { json: service() });
    expect(await api.service('openrefine')).toEqual(service());
  });

  it.each(['start', 'stop', 'restart'] as const)('orders a %s', async verb => {
    const answer = operation({ kind: verb });
    server.replies.set(`POST api/services/openrefine/${verb}`, {
      status: 202,
      json: answer
    });
    expect(await api[verb]('openrefine')).toEqual(answer);
    expect(server.bodies).toEqual(['']);
  });

  it('can cancel what is in the way of a stop', async () => {
    server.replies.set('POST api/services/openrefine/stop', {
      status: 202,
      json: operation({ kind: 'stop' })
    });
    await api.stop('openrefine', { cancel: true });
    expect(server.bodies).toEqual(['{"cancel":true}']);
  });

  it('reads the end of a log', async () => {
    server.replies.set('GET api/services/openrefine/logs?lines=50', {
      text: 'one\ntwo',
      headers: { 'Content-Type': 'text/plain' }
    });
    expect(await api.logs('openrefine', 50)).toBe('one\ntwo');
  });

  it('lists and shows operations', async () => {
    server.operations(operation());
    server.replies.set('GET api/operations/op1', { json: operation() });
    expect(await api.operations('running')).toEqual([operation()]);
    expect(await api.operation('op1')).toEqual(operation());
  });
});
