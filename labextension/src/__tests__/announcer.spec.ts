import { Announcer } from '../widgets/announcer';
import {
  database,
  FakeModel,
  operation,
  recovery,
  service,
  serviceError,
  trans
} from './fixtures';

describe('Announcer', () => {
  const setUp = () => {
    const model = new FakeModel(service(), database());
    const { node } = new Announcer(model, trans);
    const said = (role: string) =>
      node.querySelector(`[role=${role}]`)!.textContent;
    return { model, said };
  };

  it('says politely what was to be expected', () => {
    const { model, said } = setUp();
    model.become({ openrefine: 'starting' });
    expect(said('status')).toBe('OpenRefine is starting.');
    model.become({ openrefine: 'ready', postgres: 'stopped' });
    expect(said('status')).toBe(
      'OpenRefine is running. PostgreSQL has stopped.'
    );
    expect(said('alert')).toBe('');
  });

  it('says at once what went wrong', () => {
    const { model, said } = setUp();
    model.become({ openrefine: { state: 'failed', error: serviceError() } });
    expect(said('alert')).toBe('OpenRefine failed. It ended at once.');
    expect(said('status')).toBe('');
  });

  it('says at once that something ended and is back', () => {
    const { model, said } = setUp();
    model.become({});
    model.become({
      postgres: { state: 'starting', recovered_from: recovery() }
    });
    expect(said('alert')).toBe('');
    model.become({ postgres: 'ready' });
    expect(said('alert')).toBe(
      'PostgreSQL ended unexpectedly and was started again. ' +
        'In notebooks, run the cells that connect to it again.'
    );
  });

  it('says once that somebody is waited for', () => {
    const { model, said } = setUp();
    const message = 'OpenRefine has a question.';
    model.operations = [operation({ message, waiting_for: 'answer' })];
    model.become({});
    expect(said('status')).toBe(message);
    model.become({ postgres: 'starting' });
    expect(said('status')).toBe('PostgreSQL is starting.');
  });

  it('says when the server is gone and when it is back', () => {
    const { model, said } = setUp();
    model.lose({ code: 'timeout', message: '', hint: '' });
    expect(said('alert')).toContain('takes too long');
    model.lose(null);
    expect(said('status')).toBe('The Jupyter server is back.');
    expect(said('alert')).toBe('');
  });
});
