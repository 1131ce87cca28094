import { summary } from '../summary';
import { database, FakeModel, operation, service, trans } from './fixtures';

describe('summary', () => {
  const words = (model: FakeModel) => {
    const { state, words: told } = summary(model, trans);
    return [state, told];
  };

  it('counts what runs', () => {
    const model = new FakeModel(service(), database());
    expect(words(model)).toEqual(['ready', '1 service running']);
    model.become({ openrefine: 'ready' });
    expect(words(model)).toEqual(['ready', '2 services running']);
    model.become({ openrefine: 'stopped', postgres: 'stopped' });
    expect(words(model)).toEqual(['stopped', '0 services running']);
  });

  it('says what happens, and before that nothing but what is wrong', () => {
    const model = new FakeModel(service(), database());
    model.operations = [operation()];
    expect(words(model)).toEqual([
      'starting',
      'Starting OpenRefine: loading Java'
    ]);
    model.operations = [];
    model.become({ openrefine: 'failed', postgres: 'unresponsive' });
    expect(words(model)).toEqual(['failed', 'OpenRefine failed.']);
    model.become({ postgres: 'failed' });
    expect(words(model)).toEqual(['failed', '2 services need you']);
  });

  it('knows nothing while the server is gone', () => {
    const model = new FakeModel(service({ state: 'ready' }));
    model.lose({ code: 'unreachable', message: '', hint: '' });
    expect(words(model)).toEqual(['unknown', 'Services: server not reached']);
  });
});
