import { leaveLanguage, requestJSON, requestText, VCEError } from '../request';
import { FakeServer, type IReply } from './fixtures';

const REQUEST = { path: ['api', 'services'] };

async function refused(reply: IReply | null): Promise<VCEError> {
  const server = new FakeServer();
  if (reply) {
    server.replies.set('GET api/services', reply);
  }
  const error: unknown = await requestJSON(server.settings, REQUEST).then(
    () => null,
    (reason: unknown) => reason
  );
  expect(error).toBeInstanceOf(VCEError);
  return error as VCEError;
}

describe('requestJSON', () => {
  it('gives the data and the clock of the server', async () => {
    const server = new FakeServer();
    server.replies.set('GET api/services', {
      json: { services: [] },
      headers: { Date: 'Thu, 01 Jan 2026 10:00:00 GMT' }
    });
    const answer = await requestJSON(server.settings, REQUEST);
    expect(answer.data).toEqual({ services: [] });
    expect(answer.date).toBe(Date.parse('2026-01-01T10:00:00Z'));
  });

  it('asks in the language of the page, and of the browser where it has none', async () => {
    const server = new FakeServer();
    server.services();
    document.documentElement.lang = 'fr-FR';
    await requestJSON(server.settings, REQUEST);
    document.documentElement.lang = '';
    await requestJSON(server.settings, REQUEST);
    expect(server.languages).toEqual(['fr-FR', null]);
  });

  it('leaves that language for pages below vce/ alone', () => {
    const written = jest.spyOn(document, 'cookie', 'set');
    leaveLanguage('http://localhost/user/jo/');
    expect(written).not.toHaveBeenCalled();
    document.documentElement.lang = 'fr-FR';
    leaveLanguage('http://localhost/user/jo/');
    leaveLanguage('https://localhost/');
    document.documentElement.lang = '';
    expect(written.mock.calls).toEqual([
      ['vce-lang=fr-FR; path=/user/jo/vce/; samesite=lax'],
      ['vce-lang=fr-FR; path=/vce/; samesite=lax; secure']
    ]);
    written.mockRestore();
  });

  it('takes code, message and hint from the body of a refusal', async () => {
    const error = await refused({
      status: 409,
      json: { code: 'conflict', message: 'Being backed up.', hint: 'Wait.' }
    });
    expect(error).toMatchObject({
      code: 'conflict',
      message: 'Being backed up.',
      hint: 'Wait.',
      status: 409
    });
  });

  it.each([
    [401, 'logged-out'],
    [403, 'logged-out'],
    [404, 'not-served'],
    [502, 'gateway'],
    [503, 'gateway'],
    [500, 'unexpected']
  ])('never shows the page that came with a %s', async (status, code) => {
    const error = await refused({ status, text: '<html>Traceback</html>' });
    expect(error).toMatchObject({ code, message: '', hint: '', status });
  });

  it('does not take a JSON error of another shape for ours', async () => {
    const error = await refused({
      status: 404,
      json: { message: 'Not Found' }
    });
    expect(error).toMatchObject({ code: 'not-served', message: '' });
  });

  it('does not take a login page for an answer', async () => {
    const error = await refused({ text: '<html>Log in</html>' });
    expect(error.code).toBe('unexpected');
    expect(error.message).toBe('');
  });

  it('says when nobody answers', async () => {
    expect(await refused(null)).toMatchObject({
      code: 'unreachable',
      status: null
    });
  });

  it('gives up on a server that keeps silent', async () => {
    jest.useFakeTimers();
    try {
      const server = new FakeServer();
      const fetch = server.settings.fetch;
      const settings = {
        ...server.settings,
        fetch: (input: RequestInfo | URL) =>
          new Promise<Response>((_, reject) => {
            void fetch;
            (input as Request).signal.addEventListener('abort', () =>
              reject(new Error('aborted'))
            );
          })
      };
      const answer = expect(
        requestJSON(settings, REQUEST)
      ).rejects.toMatchObject({ code: 'timeout' });
      await jest.advanceTimersByTimeAsync(10_000);
      await answer;
    } finally {
      jest.useRealTimers();
    }
  });

  it('encodes what it is given', async () => {
    const server = new FakeServer();
    await requestJSON(server.settings, {
      path: ['api', 'services', '../x?y', 'start'],
      query: { a: 'b c' },
      method: 'POST',
      body: { cancel: true }
    }).catch(() => undefined);
    expect(server.asked).toEqual([
      'POST api/services/..%2Fx%3Fy/start?a=b%20c'
    ]);
    expect(server.bodies).toEqual(['{"cancel":true}']);
  });
});

describe('requestText', () => {
  it('gives text as it is', async () => {
    const server = new FakeServer();
    server.replies.set('GET api/services', {
      text: '<b>a line</b>',
      headers: { 'Content-Type': 'text/plain; charset=utf-8' }
    });
    expect(await requestText(server.settings, REQUEST)).toBe('<b>a line</b>');
  });

  it('does not take a page for a log', async () => {
    const server = new FakeServer();
    server.replies.set('GET api/services', {
      text: '<html>Log in</html>',
      headers: { 'Content-Type': 'text/html; charset=utf-8' }
    });
    await expect(requestText(server.settings, REQUEST)).rejects.toMatchObject({
      code: 'unexpected'
    });
  });
});
